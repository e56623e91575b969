from threading import Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.ledger.policies import actions, queries, rules
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.seen import ANYTHING
from tests.factories.ledger import JANUARY, NINE, NOW, PROGRAMME, make_policy_version
from tests.ledger.raw import Raw, refused_state, wait_for_lock


def test_an_approved_version_is_in_force(tx: Session) -> None:
    """A proposal alone prices nothing; approved it does."""
    proposed = make_policy_version(tx, approved=False)
    assert queries.list_in_force(tx, [PROGRAMME], first=NINE, last=NINE) == []

    actions.approve(tx, proposed.id, programme_id=PROGRAMME, approver_id=uuid4(), seen=ANYTHING, now=NOW)

    assert queries.list_in_force(tx, [PROGRAMME], first=NINE, last=NINE) == [queries.get_terms(tx, proposed.id)]


def test_versions_may_follow_each_other_but_not_overlap(tx: Session) -> None:
    """At every instant there is at most one rate."""
    first = make_policy_version(tx, effective_until=NINE)
    make_policy_version(tx, effective_from=NINE, effective_until=NOW)
    late = make_policy_version(tx, approved=False)

    with pytest.raises(rules.PolicyOverlap) as refusal:
        actions.approve(tx, late.id, programme_id=PROGRAMME, approver_id=uuid4(), seen=ANYTHING, now=NOW)

    assert refusal.value.facts["policy_version_id"] == first.id


def test_other_programmes_do_not_overlap(tx: Session) -> None:
    """Programmes are strictly apart."""
    make_policy_version(tx)
    make_policy_version(tx, programme_id=uuid4())


def test_another_programmes_version_is_not_found(tx: Session) -> None:
    """Approving by a guessed id leads nowhere."""
    version = make_policy_version(tx, approved=False)

    with pytest.raises(NotFound):
        actions.approve(tx, version.id, programme_id=uuid4(), approver_id=uuid4(), seen=ANYTHING, now=NOW)


def test_two_overlapping_approvals_at_once_leave_one(database: Database, programme: UUID) -> None:
    """Neither sees the other before it commits; the constraint does."""
    with database.transaction() as tx:
        one, other = (make_policy_version(tx, approved=False, programme_id=programme).id for _ in range(2))
    refused: list[rules.PolicyOverlap] = []

    def approve_other() -> None:
        try:
            with database.transaction() as tx:
                actions.approve(tx, other, programme_id=programme, approver_id=uuid4(), seen=ANYTHING, now=NOW)
        except rules.PolicyOverlap as refusal:
            refused.append(refusal)

    second = Thread(target=approve_other)
    with database.transaction() as tx:
        actions.approve(tx, one, programme_id=programme, approver_id=uuid4(), seen=ANYTHING, now=NOW)
        second.start()
        wait_for_lock(database)
    second.join(timeout=10)

    assert len(refused) == 1
    with database.transaction() as tx:
        assert [terms.policy_version_id for terms in queries.list_in_force(tx, [programme], first=NINE, last=NINE)] == [
            one
        ]


HERE = {"programme_id": PROGRAMME}


class TestGuards:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE policy_version SET fen_per_hour = 1 WHERE programme_id = :programme_id",
            "UPDATE policy_version SET approver_id = uuidv7() WHERE programme_id = :programme_id",
            "UPDATE policy_version SET approver_id = NULL, approved_at = NULL WHERE programme_id = :programme_id",
            "DELETE FROM policy_version WHERE programme_id = :programme_id",
            "TRUNCATE policy_version CASCADE",
        ],
    )
    def test_an_approved_version_is_never_edited(self, raw: Raw, change: str) -> None:
        """What money was computed by stays readable, whoever tries."""
        make_policy_version(raw.tx)

        assert refused_state(raw.tx, change, HERE) in {"42501", "PC001", "PC002"}

    def test_an_approval_changes_nothing_else(self, raw: Raw) -> None:
        """What was approved is what was proposed."""
        make_policy_version(raw.tx, approved=False)
        change = "UPDATE policy_version SET approver_id = uuidv7(), approved_at = :now, fen_per_hour = 1"

        assert refused_state(raw.tx, change, HERE | {"now": NOW}) in {"42501", "PC002"}

    def test_the_maker_cannot_approve_from_sql_either(self, raw: Raw) -> None:
        """Two people, held by the table."""
        make_policy_version(raw.tx, approved=False)
        change = """UPDATE policy_version SET approver_id = maker_id, approved_at = :now
                    WHERE programme_id = :programme_id"""

        assert refused_state(raw.tx, change, HERE | {"now": NOW}) == "23514"

    def test_an_overlap_is_refused_from_sql_either(self, raw: Raw) -> None:
        """One rate at a time, held by the table."""
        make_policy_version(raw.tx, effective_until=NINE)
        make_policy_version(raw.tx, effective_from=JANUARY, approved=False)
        change = """UPDATE policy_version SET approver_id = uuidv7(), approved_at = :now
                    WHERE programme_id = :programme_id AND approver_id IS NULL"""

        assert refused_state(raw.tx, change, HERE | {"now": NOW}) == "23P01"
