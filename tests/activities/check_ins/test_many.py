"""Many at the door at once: each is judged by itself, what follows is written together."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.check_ins import actions
from services.activities.check_ins.actions import Attempt, Outcome
from services.activities.check_ins.tables import CodeAttempt
from services.activities.listings.actions import start_shifts
from services.activities.scans.tables import Scan
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import hold_people
from shared.audit import trail
from shared.database.sessions import Database
from shared.errors import Refusal
from tests.activities.racing import held
from tests.activities.scanning import check_in
from tests.activities.told import emitted
from tests.factories.activities import NINE, NOON, at, code, make_shift, make_sign_up, make_volunteer

LATE = timedelta(minutes=5)


def attempt(place: SignUp, **overrides: object) -> Attempt:
    given = Attempt(place.programme_id, place.shift_id, place.volunteer_id, code(NINE), NINE)
    return replace(given, **overrides)  # type: ignore[arg-type]  # Its own fields.


def wrong() -> str:
    shown = {code(NINE, steps=steps) for steps in range(-100, 100)}
    return next(given for given in (f"{number:06}" for number in range(1000)) if given not in shown)


def said(outcomes: list[Outcome]) -> list[str]:
    return [outcome.code if isinstance(outcome, Refusal) else outcome.state for outcome in outcomes]


def test_each_is_judged_by_itself(tx: Session) -> None:
    """Right, wrong, too late, a stranger, no such shift, again: the right ones are in, the wrong code is counted."""
    shift, other = make_shift(tx), make_shift(tx)
    right, guessing, late, again, elsewhere = (make_sign_up(tx, where) for where in (shift, shift, shift, shift, other))
    stranger = replace(attempt(right), volunteer_id=make_volunteer(tx).id)
    check_in(tx, attempt(again))
    given = [
        attempt(right), attempt(guessing, code=wrong()), attempt(late, at=NINE + LATE), stranger,
        attempt(right, shift_id=uuid4(), volunteer_id=uuid4()), attempt(again), attempt(elsewhere),
    ]  # fmt: skip

    outcomes = actions.check_in_many(tx, given)

    assert said(outcomes) == [
        "checked_in", "wrong_code", "code_expired", "not_signed_up", "not_found", "checked_in", "checked_in"
    ]  # fmt: skip
    came = tx.scalars(select(Attendance.volunteer_id).where(Attendance.shift_id.in_([shift.id, other.id])))
    assert set(came) == {right.volunteer_id, again.volunteer_id, elsewhere.volunteer_id}
    rows = select(CodeAttempt.volunteer_id, CodeAttempt.failed).where(CodeAttempt.shift_id == shift.id)
    counted = tx.execute(rows).all()
    assert counted == [(guessing.volunteer_id, 1)]
    scanned = tx.scalars(select(Scan.volunteer_id).where(Scan.shift_id.in_([shift.id, other.id])))
    assert set(scanned) == {right.volunteer_id, again.volunteer_id, elsewhere.volunteer_id}


def test_they_leave_together_each_with_their_minutes(tx: Session) -> None:
    """And each with a fact of its own."""
    shift = make_shift(tx)
    places = [make_sign_up(tx, shift) for _ in range(3)]
    ends = [at(10), at(11), NOON]
    actions.check_in_many(tx, [attempt(place) for place in places])

    leaving = [attempt(place, code=code(end), at=end) for place, end in zip(places, ends, strict=True)]
    outcomes = actions.check_out_many(tx, leaving)

    assert [(each.volunteer_id, each.service_minutes) for each in outcomes if isinstance(each, Attendance)] == [
        (place.volunteer_id, minutes) for place, minutes in zip(places, (60, 120, 180), strict=True)
    ]
    assert {(fact.volunteer_id, fact.service_minutes) for fact in emitted(tx)} == {
        (place.volunteer_id, minutes) for place, minutes in zip(places, (60, 120, 180), strict=True)
    }


def test_a_shift_that_was_called_off_meanwhile_lets_nobody_in(tx: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the start; those of the other shift come in."""
    called_off, runs = make_sign_up(tx, make_shift(tx)), make_sign_up(tx, make_shift(tx))
    start = start_shifts

    def late(session: Session, shift_ids: dict[UUID, UUID], *, by: dict[UUID, UUID]) -> None:
        cancel = text("UPDATE shift SET state = 'cancelled', cancelled_because = '台风' WHERE id = :id")
        session.execute(cancel, {"id": called_off.shift_id})
        start(session, shift_ids, by=by)

    monkeypatch.setattr(actions, "start_shifts", late)
    assert said(actions.check_in_many(tx, [attempt(called_off), attempt(runs)])) == ["shift_cancelled", "checked_in"]
    scans = select(Scan.volunteer_id).where(Scan.shift_id.in_([called_off.shift_id, runs.shift_id]))
    assert tx.scalars(scans).all() == [runs.volunteer_id]


def test_what_is_changed_is_told_apart(tx: Session) -> None:
    """The first of a shift starts it; who gives a right code after a wrong one ends their row."""
    shift = make_shift(tx)
    first, second = make_sign_up(tx, shift), make_sign_up(tx, shift)
    actions.check_in_many(tx, [attempt(second, code=wrong())])
    trails = trail.begin_each(tx, [first.volunteer_id, second.volunteer_id])

    actions.check_in_many(tx, [attempt(first), attempt(second)])

    arrival = {"attendance": {"arrived": 1}, "scan": {"added": 1}}
    assert trails[first.volunteer_id].counted() == arrival | {"shift": {"started": 1}}
    assert trails[second.volunteer_id].counted() == arrival | {"code_attempt": {"removed": 1}}


def test_without_time_to_wait_only_the_free_are_held(database: Database) -> None:
    """Who is being corrected, or erased, is left to wait alone."""
    with database.transaction() as tx:
        shift = make_shift(tx, programme_id=uuid4())
        busy, free = make_sign_up(tx, shift), make_sign_up(tx, shift)
    attempts = [attempt(busy), attempt(free)]

    with database.transaction() as other:
        hold_people(other, attempts[:1], wait=True)
        with database.transaction() as tx:
            assert hold_people(tx, attempts, wait=False) == [False, True]
    with held(database, lambda tx: hold_people(tx, attempts[:1], wait=True)) as start:

        def wait() -> list[bool]:
            with database.transaction() as tx:
                return list(hold_people(tx, attempts, wait=True))

        waiting = start(wait)
    assert waiting.result() == [True, True]
