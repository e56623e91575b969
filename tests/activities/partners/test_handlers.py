"""What the partners service tells has one effect: repeated, late, and in any order."""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.main import SERVICE
from services.activities.partners import queries, rules
from services.activities.partners.handlers import keep_agreements, keep_pauses, keep_standings
from services.activities.partners.rules import Footing
from services.activities.partners.tables import Partner
from shared.bus.handlers import Handler
from shared.bus.inbox import Inbox
from shared.bus.tables import DeadLetter
from shared.bus.testing import deliver, message_of
from shared.database.sessions import Database
from shared.events.base import Event
from shared.events.partners import Standing
from tests.activities.racing import held
from tests.factories.activities import PROGRAMME, make_partner
from tests.factories.partners import make_exited, make_paused, make_signed, make_standing_changed

JUNE = date(2022, 6, 1)


@pytest.fixture
def inbox(database: Database) -> Inbox:
    return Inbox(database, SERVICE.subscriptions)


def footing(tx: Session, partner_id: UUID, programme_id: UUID = PROGRAMME) -> Footing | None:
    return queries.find_footings(tx, programme_id=programme_id, partner_ids=[partner_id]).get(partner_id)


def in_each_order(tx: Session, handler: Handler[Any], *facts: Event) -> Iterator[None]:
    """Tell facts in each order, each of them twice, one by one and then all together; undo it between."""
    for order in permutations(facts):
        for batches in ([[fact] for fact in (*order, *order)], [[*order, *order]]):
            with tx.begin_nested() as undone:
                for batch in batches:
                    deliver(tx, handler, *map(message_of, batch))
                yield
                undone.rollback()


class TestAgreements:
    def test_a_partner_becomes_known_by_the_id_that_was_told(self, tx: Session) -> None:
        """With its name, its kind of agreement and the first day of all."""
        signed = make_signed(reference="P1", carried_over=True, since=date(2021, 7, 1))

        deliver(tx, keep_agreements, message_of(signed))

        [partner] = tx.scalars(select(Partner).where(Partner.id == signed.partner_id))
        assert (partner.programme_id, partner.reference, partner.name) == (PROGRAMME, "P1", "绿叶")
        assert (partner.agreement, partner.since) == ("carried_over", date(2021, 7, 1))
        assert (partner.agreement_from, partner.agreement_until) == (date(2022, 1, 1), date(2023, 1, 1))
        assert (partner.monthly_commitment, partner.agreement_version) == (10, 1)

    def test_the_latest_version_holds_in_any_order(self, tx: Session) -> None:
        """A renewal is a version, an early end too; whole, so that none is missed when the one before is late."""
        signed = make_signed()
        renewed = signed.model_copy(update={"version": 2, "title": "绿叶公益", "valid_until": date(2024, 1, 1)})
        ended = renewed.model_copy(update={"version": 3, "valid_until": date(2022, 6, 1), "monthly_commitment": 0})

        for _ in in_each_order(tx, keep_agreements, signed, renewed, ended):
            [partner] = tx.scalars(
                select(Partner).where(Partner.id == signed.partner_id).execution_options(populate_existing=True)
            )
            assert (partner.name, partner.agreement_until) == ("绿叶公益", date(2022, 6, 1))
            assert (partner.agreement_version, partner.monthly_commitment) == (3, 0)

    def test_one_that_an_operator_noted_under_the_same_id_is_told_from_now_on(self, tx: Session) -> None:
        """Its listings stay its own."""
        partner = make_partner(tx, reference="P1")

        deliver(tx, keep_agreements, message_of(make_signed(partner_id=partner.id, reference="P2", title="新叶")))

        tx.refresh(partner)
        assert (partner.reference, partner.name, partner.agreement_version) == ("P2", "新叶", 1)

    def test_what_contradicts_is_refused(self, tx: Session) -> None:
        """The reference of another, the id of another programme's, dates that cannot be."""
        partner = make_partner(tx, reference="P1")
        elsewhere = make_partner(tx, programme_id=uuid4())
        told = [make_signed(reference="P1"), make_signed(partner_id=elsewhere.id)]

        for fact in told:
            with pytest.raises(rules.PartnerContradicted):
                deliver(tx, keep_agreements, message_of(fact))
        with pytest.raises(rules.ImpossibleDates):
            deliver(tx, keep_agreements, message_of(make_signed(valid_until=date(2022, 1, 1))))
        assert queries.find_holders(tx, ["P1"])[PROGRAMME, "P1"] == partner.id

    def test_a_contradiction_takes_no_neighbour_with_it(
        self, database: Database, inbox: Inbox, programme: UUID
    ) -> None:
        """It is a dead letter that says why."""
        good, bad = (make_signed(programme_id=programme) for _ in range(2))
        with database.transaction() as tx:
            make_partner(tx, programme_id=programme, reference=bad.reference)
        letters = [message_of(good), message_of(bad)]

        inbox.settle(letters)

        with database.transaction() as tx:
            assert footing(tx, good.partner_id, programme) == Footing(date(2022, 1, 1), date(2023, 1, 1))
            assert footing(tx, bad.partner_id, programme) is None
            dead = select(DeadLetter.handler, DeadLetter.reason, DeadLetter.error)
            [row] = tx.execute(dead.where(DeadLetter.event_id == letters[1].headers["ce-id"]))
            assert (row.handler, row.reason) == ("activities.keep_agreements", "refused")
            assert "partner_contradicted" in row.error


class TestStandings:
    def test_a_suspension_bars_the_partner_with_the_commit_that_hears_it(
        self, database: Database, inbox: Inbox, programme: UUID
    ) -> None:
        """Nothing waits for a timer or a cache; the way back is as short."""
        signed = make_signed(programme_id=programme)
        facts = {"programme_id": programme, "partner_id": signed.partner_id}
        back = make_standing_changed(**facts, version=2, standing=Standing.WARNING, weekly_quota=3)

        for fact in (signed, make_standing_changed(**facts)):
            inbox.settle([message_of(fact)])
        with database.transaction() as tx:
            barred = footing(tx, signed.partner_id, programme)
        inbox.settle([message_of(back)])
        with database.transaction() as tx:
            free = footing(tx, signed.partner_id, programme)

        assert barred is not None
        assert free is not None
        with pytest.raises(rules.PartnerBarred):
            rules.require_may_propose(barred, on=JUNE)
        rules.require_may_propose(free, on=JUNE)
        assert (free.standing, free.weekly_quota, free.cause) == ("warning", 3, "shifts_not_held")

    def test_the_latest_version_holds_in_any_order(self, tx: Session) -> None:
        """Also when the partner itself becomes known last, and its exit before its suspension."""
        partner_id = uuid4()
        warned = make_standing_changed(partner_id=partner_id, standing=Standing.WARNING, weekly_quota=2)
        suspended = make_standing_changed(partner_id=partner_id, version=2)
        left = make_exited(partner_id=partner_id, version=3)

        for _ in in_each_order(tx, keep_standings, warned, suspended, left):
            deliver(tx, keep_agreements, message_of(make_signed(partner_id=partner_id)))
            stands = footing(tx, partner_id)
            assert stands is not None
            assert (stands.standing, stands.weekly_quota, stands.cause) == ("exited", None, "own_wish")

    def test_who_comes_back_after_an_exit_stands_anew(self, tx: Session) -> None:
        """A later version is the later word, whatever the earlier one was."""
        left = make_exited(version=2)
        back = make_standing_changed(partner_id=left.partner_id, version=3, standing=Standing.GOOD, cause=None)
        deliver(tx, keep_agreements, message_of(make_signed(partner_id=left.partner_id)))

        for _ in in_each_order(tx, keep_standings, left, back):
            stands = footing(tx, left.partner_id)
            assert stands is not None
            assert (stands.standing, stands.cause) == ("good", None)

    def test_of_another_programme_is_of_another_partner(self, tx: Session) -> None:
        """Even under the same id."""
        signed = make_signed()
        deliver(tx, keep_agreements, message_of(signed))

        elsewhere = make_standing_changed(partner_id=signed.partner_id, programme_id=uuid4())
        deliver(tx, keep_standings, message_of(elsewhere))

        stands = footing(tx, signed.partner_id)
        assert stands is not None
        assert stands.standing == "good"


class TestPauses:
    def test_the_latest_version_holds_in_any_order(self, tx: Session) -> None:
        """A pause that was shortened, and one that was taken back."""
        signed = make_signed()
        deliver(tx, keep_agreements, message_of(signed))
        paused = make_paused(partner_id=signed.partner_id)
        shortened = paused.model_copy(update={"version": 2, "paused_until": date(2022, 6, 8)})

        for _ in in_each_order(tx, keep_pauses, paused, shortened):
            stands = footing(tx, signed.partner_id)
            assert stands is not None
            assert (stands.paused_from, stands.paused_until) == (JUNE, date(2022, 6, 8))

        taken_back = paused.model_copy(update={"version": 3, "paused_from": None, "paused_until": None})
        for _ in in_each_order(tx, keep_pauses, paused, shortened, taken_back):
            assert footing(tx, signed.partner_id) == Footing(date(2022, 1, 1), date(2023, 1, 1))

    def test_one_that_cannot_be_is_refused(self, tx: Session) -> None:
        """An end without a beginning is none."""
        with pytest.raises(rules.ImpossibleDates):
            deliver(tx, keep_pauses, message_of(make_paused(paused_from=None)))


def race(database: Database, first: Callable[[Session], object], second: Callable[[Session], object]) -> None:
    """Do both in transactions of their own; the second waits for the first."""

    def run() -> None:
        with database.transaction() as tx:
            second(tx)

    with held(database, first) as start:
        outcome = start(run)
    assert outcome.result() is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_versions_at_once_leave_the_later(database: Database, programme: UUID, order: tuple[int, int]) -> None:
    """Two batches are handled beside each other, each in its own transaction."""
    suspended = make_standing_changed(programme_id=programme)
    good = suspended.model_copy(update={"version": 2, "standing": Standing.GOOD, "cause": None})
    signed = make_signed(programme_id=programme, partner_id=suspended.partner_id)
    first, second = ((suspended, good)[place] for place in order)

    def tell(fact: Event) -> Callable[[Session], object]:
        return lambda tx: deliver(tx, keep_standings, message_of(fact))

    race(database, tell(first), tell(second))

    with database.transaction() as tx:
        deliver(tx, keep_agreements, message_of(signed))
        stands = footing(tx, signed.partner_id, programme)
        assert stands is not None
        assert stands.standing == "good"


def test_of_one_partner_s_proposals_one_at_a_time_is_counted(database: Database, programme: UUID) -> None:
    """Whoever counts them against the quota holds the partner."""
    with database.transaction() as tx:
        partner_id = make_partner(tx, programme_id=programme).id

    def count(tx: Session) -> object:
        return queries.lock_footings(tx, programme_id=programme, partner_ids=[partner_id])

    race(database, count, count)
