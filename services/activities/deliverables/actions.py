"""What becomes of work that is handed in: it is owed, handed in, answered, overdue.

Whoever decides about it holds the people's locks, then the shifts', then the rows'. What becomes overdue is locked
alone, and passed over where somebody else holds it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.activities.deliverables import queries, rules
from services.activities.deliverables.queries import Standing
from services.activities.deliverables.rules import Command, State
from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.listings.actions import mark_owed
from services.activities.listings.queries import find_unowed, list_timezones, lock_shifts_by_id
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import lock_volunteer, lock_volunteers
from shared import bus
from shared.audit import Change, note
from shared.auth.scopes import Scope
from shared.events import activities_deliverables as events
from shared.ids import new_id
from shared.zones import zone


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody hands in, and when; `digest` is of all of it, files included."""

    scope: Scope
    volunteer_id: UUID
    deliverable_id: UUID
    pieces: int
    note: str
    digest: bytes
    at: datetime


def owe(tx: Session, *, now: datetime, limit: int = rules.SHIFTS_AT_ONCE) -> int:
    """Write down of each place on shifts that are over what it owes, and tell it; return how many shifts those were.

    At most `limit` shifts, those that ended first; each place owes once, however often this runs. People are locked
    before shifts, as always; a shift with somebody who came in between is the next run's.
    """
    due = find_unowed(tx, ended_before=now, limit=limit)
    if not due:
        return 0
    people = {each.volunteer_id for each in queries.list_owing(tx, due)}
    lock_volunteers(tx, people)
    shifts = {shift.id: shift for shift in lock_shifts_by_id(tx, due) if shift.owed_at is None}
    owing = queries.list_owing(tx, shifts)
    later = {each.shift_id for each in owing if each.volunteer_id not in people}
    zones = list_timezones(tx, {shift.listing_id for shift in shifts.values()})
    untils = {i: rules.due_until(it.ends_at, zone(zones[it.listing_id]), now=now) for i, it in shifts.items()}
    rows = [
        Deliverable(
            id=new_id(), programme_id=shift.programme_id, sign_up_id=each.sign_up_id, shift_id=shift.id,
            listing_id=shift.listing_id, partner_id=shift.partner_id, volunteer_id=each.volunteer_id,
            service_on=shift.service_on, minutes_per_piece=shift.minutes_per_piece, state=State.DUE,
            due_until=untils[shift.id], waits_until=untils[shift.id], submissions=0, revisions=0, is_by_silence=False,
        )
        for each in owing if each.shift_id not in later
        for shift in (shifts[each.shift_id],)
    ]  # fmt: skip
    tx.add_all(rows)
    tx.flush()
    mark_owed(tx, shifts.keys() - later, now=now)
    facts = [events.DeliverableDue(**fact_of(row), at=now, due_until=row.due_until) for row in rows]
    bus.emit_all(tx, facts, of=[row.volunteer_id for row in rows])
    return len(shifts.keys() - later)


def hand_in(tx: Session, work: Work) -> tuple[Submission, bool]:
    """Hand work in; return it, and whether that is new: the same again, before anybody has answered, changes nothing.

    Raises NotFound, DeliverableClosed, NothingOwed, UnchangedSubmission.
    """
    row = queries.get_deliverable(tx, work.scope, work.deliverable_id)
    lock_volunteer(tx, programme_id=row.programme_id, volunteer_id=work.volunteer_id)
    queries.lock_again(tx, row)
    last = queries.find_submission(tx, row)
    is_same = last is not None and last.digest == work.digest
    if rules.is_repeated(State(row.state), is_same=is_same) and last is not None:
        return last, False
    following = rules.next_state(State(row.state), Command.SUBMIT)
    rules.require_owed(queries.place_of(tx, row))
    until = rules.answer_until(work.at, zone(queries.get_timezone(tx, row.listing_id)))
    row.state, row.waits_until, row.pieces = following, until, work.pieces
    row.submissions += 1
    submission = Submission(
        id=new_id(), programme_id=row.programme_id, deliverable_id=row.id, volunteer_id=row.volunteer_id,
        number=row.submissions, pieces=work.pieces, note=work.note, digest=work.digest, submitted_at=work.at,
    )  # fmt: skip
    tx.add(submission)
    tx.flush()
    bus.emit(
        tx,
        events.DeliverableSubmitted(
            **fact_of(row), at=work.at, submission=submission.number, pieces=work.pieces, answer_until=until
        ),
    )
    return submission, True


def lapse(tx: Session, *, now: datetime, limit: int) -> int:
    """Let work be overdue that did not come in time, and tell it; return how many. Whose place is gone owes none."""
    overdue = []
    for row, timezone, place in (lapsed := queries.lock_lapsed(tx, now=now, limit=limit)):
        if not rules.is_owed(place):
            pass_on(row, Command.RELEASE)
            continue
        until = rules.abandoned_at(now, zone(timezone))
        pass_on(row, Command.LAPSE, until=until)
        overdue.append(events.DeliverableOverdue(**fact_of(row), at=now, submit_until=until))
    bus.emit_all(tx, overdue, of=[each.volunteer_id for each in overdue])
    return len(lapsed)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of the last submission, when and why; `by` is None for the calendar."""

    command: Command
    by: UUID | None
    at: datetime
    reason: str | None = None


def answer(standing: Standing, said: Answer) -> None:
    """Write down what is said of the last submission; the caller holds the locks of `lock`.

    Raises DeliverableClosed, NothingOwed.
    """
    row, submission = standing.row, standing.submission
    following = rules.next_state(State(row.state), said.command)
    rules.require_owed(standing.place)
    row.state, row.waits_until = following, None
    if said.command is Command.REQUEST_REVISION:
        row.revisions += 1
        row.due_until = row.waits_until = rules.revise_until(said.at, zone(standing.timezone))
    else:
        row.decided_by, row.decided_at = said.by, said.at
    if submission is not None:
        submission.answer, submission.reason = following, said.reason
        submission.answered_by, submission.answered_at = said.by, said.at


def note_accepted(row: Deliverable, *, pieces: int, is_by_silence: bool) -> None:
    """Write down how many pieces are accepted of what was just accepted."""
    row.accepted_pieces, row.is_by_silence = pieces, is_by_silence


def pass_on(row: Deliverable, command: Command, *, until: datetime | None = None) -> None:
    """Put work into the state after a command of the calendar's, which lasts until then. Raises DeliverableClosed."""
    row.state, row.waits_until = rules.next_state(State(row.state), command), until


def lock(tx: Session, rows: Collection[Deliverable]) -> dict[UUID, Standing]:
    """Lock people, shifts and work, in this order; work that went over to somebody else meanwhile is left out."""
    if not rows:
        return {}
    people = {row.id: row.volunteer_id for row in rows}
    lock_volunteers(tx, people.values())
    lock_shifts_by_id(tx, {row.shift_id for row in rows})
    standings = queries.lock_standings(tx, people)
    return {i: each for i, each in standings.items() if each.row.volunteer_id == people[i]}


def hand_over(tx: Session, *, kept_id: UUID, merged_id: UUID) -> None:
    """Let the work of sign-ups that went over to another record of the same person be that one's as well."""
    gone_over = select(SignUp.id).where(SignUp.volunteer_id == kept_id)
    theirs = update(Deliverable).where(Deliverable.volunteer_id == merged_id, Deliverable.sign_up_id.in_(gone_over))
    moved = tx.scalars(theirs.values(volunteer_id=kept_id).returning(Deliverable.id)).all()
    rows = update(Submission).where(Submission.deliverable_id.in_(moved)).values(volunteer_id=kept_id)
    tx.execute(rows)
    values = {"volunteer_id": merged_id}, {"volunteer_id": kept_id}
    note(tx, "deliverable", (Change(each, *values) for each in moved), handed_over=len(moved))


def forget_words_of(tx: Session, *, volunteer_id: UUID) -> None:
    """Empty what a person wrote with what they handed in, and what was said of it; what was decided stays."""
    words = {"note": "", "reason": None, "digest": None}
    rows = update(Submission).where(Submission.volunteer_id == volunteer_id).values(words)
    note(tx, "deliverable_submission", (), forgotten=len(tx.scalars(rows.returning(Submission.id)).all()))


def fact_of(row: Deliverable) -> dict[str, Any]:
    """Return what every fact about the work of a place tells."""
    names = ("programme_id", "sign_up_id", "shift_id", "listing_id", "partner_id", "volunteer_id")
    return {name: getattr(row, name) for name in names} | {"deliverable_id": row.id}
