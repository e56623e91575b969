from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.incidents import actions, queries, rules
from services.activities.incidents.actions import About, Decision, Report
from services.activities.incidents.rules import Command, Side
from services.activities.incidents.tables import Incident
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.events.activities_incidents import IncidentClosed, IncidentKind, IncidentOpened, IncidentSubject
from shared.seen import ANYTHING, Seen
from tests.activities.racing import at_once
from tests.activities.told import told
from tests.factories.activities import NINE, NOON, PROGRAMME, REVIEWER, make_incident, make_shift, make_volunteer

SHIFT, PARTNER = uuid4(), uuid4()
COMPLAINT = Report(
    PROGRAMME, IncidentKind.COMPLAINT, About(IncidentSubject.SHIFT, SHIFT, shift_id=SHIFT, partner_id=PARTNER),
    "没有人接待", Side.VOLUNTEER, uuid4(), NINE,
)  # fmt: skip
FOUND = replace(COMPLAINT, kind=IncidentKind.FRAUD_SIGNAL, side=Side.SYSTEM, opened_by=None)


def decide(incident: Incident, **overrides: Any) -> Decision:
    decision = Decision(incident.programme_id, incident.id, Seen.of(incident), REVIEWER, NOON)
    return replace(decision, **overrides)


def owned(tx: Session) -> Incident:
    return make_incident(tx, shift=make_shift(tx), state="in_progress", owner_id=REVIEWER)


class TestOpen:
    def test_what_is_reported_is_kept_and_told(self, tx: Session) -> None:
        """By id alone: the words stay here."""
        incident = actions.open_incident(tx, COMPLAINT)

        assert (incident.state, incident.details, incident.opened_side) == ("open", "没有人接待", "volunteer")
        assert (incident.deadline_at, incident.shared_at) == (NINE + timedelta(days=7), None)
        assert told(tx) == [
            IncidentOpened(
                programme_id=PROGRAMME, incident_id=incident.id, kind=IncidentKind.COMPLAINT,
                subject_type=IncidentSubject.SHIFT, subject_id=SHIFT, shift_id=SHIFT, partner_id=PARTNER,
                volunteer_id=None, opened_at=NINE, deadline_at=NINE + timedelta(days=7),
            )
        ]  # fmt: skip

    def test_a_partner_sees_its_own_report(self, tx: Session) -> None:
        """From the beginning."""
        assert actions.open_incident(tx, replace(COMPLAINT, side=Side.PARTNER)).shared_at == NINE

    def test_what_a_rule_finds_again_opens_nothing(self, tx: Session) -> None:
        """Within a programme; each programme has its own."""
        elsewhere = replace(FOUND, programme_id=uuid4())
        assert actions.open_found(tx, [("stamps:1", FOUND), ("stamps:2", FOUND)]) == 2
        assert actions.open_found(tx, [("stamps:2", FOUND), ("stamps:3", FOUND), ("stamps:1", elsewhere)]) == 2
        assert actions.open_found(tx, []) == 0

        keys = tx.scalars(select(Incident.dedupe_key).where(Incident.programme_id == PROGRAMME)).all()
        assert sorted(filter(None, keys)) == ["stamps:1", "stamps:2", "stamps:3"]
        assert [fact.type for fact in told(tx)] == [IncidentOpened.type] * 3

    def test_two_that_find_the_same_open_one(self, database: Database, programme: UUID) -> None:
        """Two workers that close the same shift."""

        def find() -> int:
            with database.transaction() as tx:
                return actions.open_found(tx, [("stamps:1", replace(FOUND, programme_id=programme))])

        assert sorted(map(int, at_once(find, find))) == [0, 1]


class TestHandle:
    def test_somebody_takes_it_on(self, tx: Session) -> None:
        """With another deadline, if they say so; the next owner leaves it as it is."""
        incident = make_incident(tx, shift=make_shift(tx))

        actions.assign(tx, decide(incident), owner_id=REVIEWER, deadline_at=NOON)
        assert (incident.state, incident.owner_id, incident.deadline_at) == ("in_progress", REVIEWER, NOON)
        another = uuid4()
        actions.assign(tx, decide(incident), owner_id=another, deadline_at=None)

        assert (incident.state, incident.owner_id, incident.deadline_at) == ("in_progress", another, NOON)
        assert told(tx) == []

    @pytest.mark.parametrize(("command", "state"), [(Command.RESOLVE, "resolved"), (Command.DISMISS, "dismissed")])
    def test_it_is_closed_with_a_reason_and_told(self, tx: Session, command: Command, state: str) -> None:
        """For good."""
        incident = owned(tx)

        actions.close(tx, decide(incident), command=command, resolution="已与机构沟通")

        assert (incident.state, incident.resolution) == (state, "已与机构沟通")
        assert (incident.closed_at, incident.closed_by) == (NOON, REVIEWER)
        assert told(tx) == [
            IncidentClosed(
                programme_id=PROGRAMME, incident_id=incident.id, kind=IncidentKind.COMPLAINT,
                is_resolved=state == "resolved", partner_id=incident.partner_id, closed_at=NOON,
            )
        ]  # fmt: skip
        with pytest.raises(rules.AlreadyClosed):
            actions.close(tx, decide(incident), command=command, resolution="再次")

    def test_nobodys_incident_is_not_closed(self, tx: Session) -> None:
        """Nothing is written, nothing told."""
        incident = make_incident(tx, shift=make_shift(tx))
        with pytest.raises(rules.IncidentUnowned):
            actions.close(tx, decide(incident), command=Command.RESOLVE, resolution="好")
        tx.refresh(incident)
        assert (incident.state, incident.closed_at, told(tx)) == ("open", None, [])

    def test_it_is_shared_once(self, tx: Session) -> None:
        """The first instant counts."""
        incident = owned(tx)
        actions.share(tx, decide(incident))
        actions.share(tx, decide(incident, at=NOON + timedelta(hours=1)))
        assert incident.shared_at == NOON

    def test_a_decision_on_another_reading_is_refused(self, tx: Session) -> None:
        """Two of the staff do not overwrite each other."""
        incident = owned(tx)
        stale = decide(incident)
        actions.share(tx, decide(incident))
        with pytest.raises(ChangedSince):
            actions.close(tx, stale, command=Command.RESOLVE, resolution="好")

    def test_another_programmes_is_unknown(self, tx: Session) -> None:
        """As is one that does not exist."""
        incident = owned(tx)
        for decision in (decide(incident, programme_id=uuid4()), decide(incident, incident_id=uuid4())):
            with pytest.raises(NotFound):
                actions.share(tx, replace(decision, seen=ANYTHING))


class TestNotes:
    def write(self, tx: Session, incident: Incident, words: str) -> int:
        note = actions.add_note(
            tx, programme_id=PROGRAMME, incident_id=incident.id, words=words, written_by=REVIEWER, now=NOON
        )
        return note.number

    def test_notes_are_added_in_order(self, tx: Session) -> None:
        """To an incident that nobody owns yet, too; none to a closed one."""
        incident = make_incident(tx, shift=make_shift(tx))
        assert [self.write(tx, incident, words) for words in ("问过", "答复了")] == [1, 2]
        assert [note.text for note in queries.list_notes(tx, incident.id)] == ["问过", "答复了"]

        closed = make_incident(
            tx, shift=make_shift(tx), state="dismissed", owner_id=REVIEWER, closed_at=NOON, closed_by=REVIEWER,
            resolution="无",
        )  # fmt: skip
        with pytest.raises(rules.AlreadyClosed):
            self.write(tx, closed, "还有")

    def test_two_at_once_are_two(self, database: Database, programme: UUID) -> None:
        """Numbered one after the other."""
        with database.transaction() as tx:
            incident = make_incident(tx, shift=make_shift(tx, programme_id=programme))

        def write() -> int:
            with database.transaction() as tx:
                return actions.add_note(
                    tx, programme_id=programme, incident_id=incident.id, words="问过", written_by=REVIEWER, now=NOON
                ).number

        assert sorted(map(int, at_once(write, write))) == [1, 2]


def test_the_words_of_who_is_erased_are_emptied(tx: Session) -> None:
    """Of what they opened; that they did stays, and what others wrote does."""
    person = make_volunteer(tx)
    own = make_incident(tx, shift=make_shift(tx), opened_side="volunteer", opened_by=person.id)
    others = make_incident(tx, shift=make_shift(tx), volunteer_id=person.id)

    assert [actions.forget_words_of(tx, volunteer_id=person.id) for _ in range(2)] == [1, 0]

    tx.refresh(own)
    assert (own.details, own.opened_by, others.details) == ("", person.id, "没有人接待")
    found = queries.list_incidents_of(tx, volunteer_id=person.id, limit=10)
    assert {each.id for each in found} == {own.id, others.id}
