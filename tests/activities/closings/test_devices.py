"""One device that scans for several people on one shift."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.closings import actions, queries
from services.activities.closings.rules import MOST_NAMED
from services.activities.incidents.tables import Incident
from services.activities.listings.tables import Shift
from services.activities.scans.rules import device_mark
from services.activities.scans.tables import Scan
from services.activities.sign_ups.actions import add_places
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.events.activities_incidents import IncidentOpened
from tests.activities.told import told
from tests.factories.activities import NINE, NOON, PROGRAMME, at, make_settled, make_shift, make_sign_up, make_volunteer

ONE = at(13)
PHONE, TABLET = "a-telephone-of-somebody", "the-tablet-at-the-door"
ANOTHER = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"


@pytest.fixture
def tx(tx: Session) -> Session:
    """Begin with no shifts to close: other tests leave theirs."""
    actions.close_shifts(tx, now=datetime(2100, 1, 1, tzinfo=UTC), limit=100_000)
    return tx


@pytest.fixture
def shift(tx: Session) -> Shift:
    return make_shift(tx)


def scan(tx: Session, shift: Shift, person: Volunteer, device: str | None, *, ways: Sequence[str] = ("in",)) -> None:
    """Let a device scan for somebody."""
    mark = device_mark(device, secret=shift.code_secret)
    for way in ways:
        scanned = {"way": way, "step": 1, "scanned_at": NINE if way == "in" else NOON}
        tx.add(Scan(shift_id=shift.id, volunteer_id=person.id, device_mark=mark, **scanned))
    tx.flush()


def people(tx: Session, shift: Shift, many: int) -> list[Volunteer]:
    """Make people with a place on a shift, in order of id."""
    made = [make_volunteer(tx) for _ in range(many)]
    for person in made:
        make_sign_up(tx, shift, volunteer=person)
    return sorted(made, key=lambda person: person.id)


def signals(tx: Session) -> list[Incident]:
    rows = select(Incident).where(Incident.programme_id == PROGRAMME, Incident.kind == "fraud_signal")
    return list(tx.scalars(rows.order_by(Incident.id)))


def marks(tx: Session, shift: Shift) -> list[bytes | None]:
    return list(tx.scalars(select(Scan.device_mark).where(Scan.shift_id == shift.id)))


def test_one_device_for_two_people_is_a_signal(tx: Session, shift: Shift) -> None:
    """About the shift; it names them by id, in both languages, and the event names nobody."""
    first, second = people(tx, shift, 2)
    for person in (first, second):
        scan(tx, shift, person, PHONE)

    actions.close_shifts(tx, now=ONE)

    [found] = signals(tx)
    assert (found.subject_type, found.subject_id, found.shift_id) == ("shift", shift.id, shift.id)
    assert (found.partner_id, found.volunteer_id, found.opened_side) == (shift.partner_id, None, "system")
    assert found.details == f"同一设备为 2 人扫码 / One device scanned for 2 people: {first.id}, {second.id}"
    [fact] = [fact for fact in told(tx) if isinstance(fact, IncidentOpened)]
    assert (fact.incident_id, fact.volunteer_id) == (found.id, None)


def test_it_keeps_nobody_from_their_hours(tx: Session, shift: Shift) -> None:
    """What it comes to a person says."""
    for _ in range(2):
        scan(tx, shift, tx.get_one(Volunteer, make_settled(tx, shift).volunteer_id), PHONE)

    actions.close_shifts(tx, now=ONE)

    assert len(signals(tx)) == 1
    assert set(tx.scalars(select(SignUp.state).where(SignUp.shift_id == shift.id))) == {"attended"}


def test_in_for_one_and_out_for_another_is_a_signal(tx: Session, shift: Shift) -> None:
    """One came with their own and left with a friend's."""
    first, second = people(tx, shift, 2)
    scan(tx, shift, first, PHONE)
    scan(tx, shift, second, TABLET)
    scan(tx, shift, second, PHONE, ways=("out",))
    actions.close_shifts(tx, now=ONE)
    assert len(signals(tx)) == 1


def test_each_with_a_device_of_their_own_is_none(tx: Session, shift: Shift) -> None:
    """In and out by the same is one person's; whose device is not known is nobody's."""
    for person, device in zip(people(tx, shift, 4), (PHONE, TABLET, None, None), strict=True):
        scan(tx, shift, person, device, ways=("in", "out"))
    actions.close_shifts(tx, now=ONE)
    assert signals(tx) == []


def test_a_device_on_two_shifts_is_not_recognised(tx: Session, shift: Shift) -> None:
    """What is kept of it on one says nothing on the other, and the two stand together in no signal."""
    other = make_shift(tx, code_secret=ANOTHER)
    for where in (shift, other):
        [person] = people(tx, where, 1)
        scan(tx, where, person, PHONE)
    assert marks(tx, shift) != marks(tx, other)

    actions.close_shifts(tx, now=ONE)

    assert signals(tx) == []


def test_marks_are_forgotten_when_a_shift_is_closed(tx: Session, shift: Shift) -> None:
    """They have been of use; the scans stay. Also of a shift that did not happen."""
    off = make_shift(tx, state="cancelled", cancelled_because="台风")
    open_still = make_shift(tx, ends_at=NOON + timedelta(minutes=1))
    for where in (shift, off, open_still):
        [person] = people(tx, where, 1)
        scan(tx, where, person, PHONE)

    actions.close_shifts(tx, now=ONE)

    assert [marks(tx, where) for where in (shift, off)] == [[None], [None]]
    assert None not in marks(tx, open_still)


def test_what_cannot_be_closed_yet_keeps_its_marks(tx: Session, shift: Shift, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody was brought in while the timer looked: the next run closes the shift, and compares."""
    late, other = people(tx, shift, 2)
    for person in (late, other):
        scan(tx, shift, person, PHONE)
    find = queries.find_expected
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(queries, "find_expected", lambda tx, due: find(tx, due) - {late.id})
        assert actions.close_shifts(tx, now=ONE) == 0
    assert (signals(tx), None in marks(tx, shift)) == ([], False)

    assert actions.close_shifts(tx, now=ONE) == 1

    assert len(signals(tx)) == 1


def test_a_signal_is_opened_once(tx: Session, shift: Shift) -> None:
    """However often the timer runs, and when people are brought in afterwards."""
    for person in people(tx, shift, 2):
        scan(tx, shift, person, PHONE)
    actions.close_shifts(tx, now=ONE)
    tx.refresh(shift)
    add_places(tx, programme_id=PROGRAMME, places=[(shift.id, make_volunteer(tx).id)], now=at(20))

    assert [actions.close_shifts(tx, now=at(21)) for _ in range(2)] == [1, 0]

    assert len(signals(tx)) == 1


def test_after_an_outage_each_shift_has_its_own(tx: Session, shift: Shift) -> None:
    """Batch by batch: what is not closed yet keeps its marks."""
    later = make_shift(tx, ends_at=NOON + timedelta(minutes=1), code_secret=ANOTHER)
    for where in (shift, later):
        for person in people(tx, where, 2):
            scan(tx, where, person, PHONE)

    found = []
    for _ in range(2):
        actions.close_shifts(tx, now=at(20), limit=1)
        found.append({each.shift_id for each in signals(tx)})

    assert found == [{shift.id}, {shift.id, later.id}]


@pytest.mark.parametrize(("tablet_for", "found"), [(2, 1), (3, 2)])
def test_a_group_of_people_is_one_signal(tx: Session, shift: Shift, tablet_for: int, found: int) -> None:
    """By however many devices: whoever looks into it asks them once. With somebody else they are another group."""
    everybody = people(tx, shift, 3)
    for person in everybody[:2]:
        scan(tx, shift, person, PHONE)
    for person in everybody[:tablet_for]:
        scan(tx, shift, person, TABLET, ways=("out",))

    actions.close_shifts(tx, now=ONE)

    assert len(signals(tx)) == found


def test_two_records_of_one_person_are_one_person(tx: Session, shift: Shift) -> None:
    """But for somebody else besides it is a signal, about the record that stays."""
    kept = make_volunteer(tx)
    merged = make_volunteer(tx, merged_into=kept.id, merged_at=NOON)
    for person in (kept, merged):
        scan(tx, shift, person, PHONE)
    another = make_shift(tx)
    stranger = make_volunteer(tx)
    for person in (merged, stranger):
        scan(tx, another, person, PHONE)

    actions.close_shifts(tx, now=ONE)

    [found] = signals(tx)
    assert found.shift_id == another.id
    assert {str(each.id) in found.details for each in (kept, stranger)} == {True}
    assert str(merged.id) not in found.details


@pytest.mark.parametrize(("many", "rest"), [(MOST_NAMED, ""), (MOST_NAMED + 2, "；另 2 人 / and 2 more")])
def test_so_many_people_are_named_and_no_more(tx: Session, shift: Shift, many: int, rest: str) -> None:
    """A device that was handed round by everybody; how many they are is told all the same."""
    everybody = people(tx, shift, many)
    for person in everybody:
        scan(tx, shift, person, PHONE)

    actions.close_shifts(tx, now=ONE)

    [found] = signals(tx)
    named = ", ".join(str(person.id) for person in everybody[:MOST_NAMED])
    assert found.details == f"同一设备为 {many} 人扫码 / One device scanned for {many} people: {named}{rest}"
