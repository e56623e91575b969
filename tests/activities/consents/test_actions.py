from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from services.activities.consents import actions, queries, rules
from services.activities.consents.actions import Record
from services.activities.consents.rules import NothingGiven, Purpose
from services.activities.consents.tables import Consent
from services.activities.volunteers.tables import Volunteer
from shared.database.sessions import Database
from shared.errors import NotFound
from tests.activities.racing import at_once
from tests.factories.activities import NINE, NOON, PROGRAMME, REVIEWER, make_volunteer

ROSTER = Purpose.PARTNER_ROSTER
TEXT = rules.TERMS[ROSTER].current


def record(person: Volunteer, *, by: UUID | None = None, programme_id: UUID = PROGRAMME) -> Record:
    reason = None if by is None else "on paper, folder 3"
    return Record(programme_id, person.id, ROSTER, "zh", by or person.id, reason, NINE if by is None else NOON)


def decisions(tx: Session, person: Volunteer) -> list[str]:
    return [row.decision for row in queries.list_consents(tx, volunteer_id=person.id)]


def test_every_decision_is_kept(tx: Session) -> None:
    """Again is no new decision; a change of mind is, and the last one holds."""
    person = make_volunteer(tx)
    for _ in range(2):
        actions.give(tx, record(person), version=TEXT.version)
    for _ in range(2):
        actions.withdraw(tx, record(person, by=REVIEWER))
    last = actions.give(tx, record(person), version=TEXT.version)

    first, second, third = sorted(queries.list_consents(tx, volunteer_id=person.id), key=lambda row: row.number)
    assert [row.decision for row in (first, second, third)] == ["given", "withdrawn", "given"]
    assert (first.text_version, first.text_digest, first.language) == (TEXT.version, TEXT.digest, "zh")
    assert (first.recorded_by, first.reason, first.recorded_at) == (person.id, None, NINE)
    assert (second.recorded_by, second.reason, second.text_digest) == (REVIEWER, "on paper, folder 3", TEXT.digest)
    assert queries.find_last(tx, volunteer_id=person.id, purpose=ROSTER) is last is third


def test_what_was_not_given_cannot_be_withdrawn(tx: Session) -> None:
    """Nothing is written."""
    person = make_volunteer(tx)
    with pytest.raises(NothingGiven):
        actions.withdraw(tx, record(person))
    assert decisions(tx, person) == []


def test_a_newer_text_is_agreed_to_anew(tx: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both decisions stand, each with the digest of what was read."""
    person = make_volunteer(tx)
    actions.give(tx, record(person), version=1)
    newer = rules.Text(2, "新", "new", "of the newer")
    monkeypatch.setattr(rules, "TERMS", {ROSTER: rules.Terms((TEXT, newer), holds_since=1)})

    actions.give(tx, record(person), version=2)

    rows = queries.list_consents(tx, volunteer_id=person.id)
    assert [(row.text_version, row.text_digest) for row in rows] == [(1, TEXT.digest), (2, "of the newer")]


def test_people_of_another_programme_are_not_found(tx: Session) -> None:
    """Nor are those who were erased (see `personal_data`)."""
    person = make_volunteer(tx)
    other = record(person, programme_id=REVIEWER)
    with pytest.raises(NotFound):
        actions.give(tx, other, version=TEXT.version)
    with pytest.raises(NotFound):
        actions.withdraw(tx, other)


def test_two_taps_at_once_are_one_decision(database: Database, programme: UUID) -> None:
    """The second waits for the first and finds it done."""
    with database.transaction() as tx:
        person = make_volunteer(tx, programme_id=programme)

    def give() -> Consent:
        with database.transaction() as tx:
            return actions.give(tx, record(person, programme_id=programme), version=TEXT.version)

    numbers = [outcome.number for outcome in at_once(give, give, give) if isinstance(outcome, Consent)]

    assert numbers == [1, 1, 1]
    with database.transaction() as tx:
        assert decisions(tx, person) == ["given"]
