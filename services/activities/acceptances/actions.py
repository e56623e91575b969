"""What is said of work that was handed in: accepted, in part or not at all, asked for again; or nothing, by silence.

Whoever decides holds the people's locks, then the shifts', then those of the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.acceptances import rules
from services.activities.attendance.actions import Presence, Settlement, presence_of, settle
from services.activities.deliverables import actions as deliverables
from services.activities.deliverables.actions import Answer, fact_of
from services.activities.deliverables.queries import Standing, find_deliverables, find_ending
from services.activities.deliverables.rules import Command, State, is_owed, require_revisions_left
from services.activities.deliverables.tables import Deliverable
from services.activities.sign_ups import rules as places
from services.activities.sign_ups.actions import Move, move
from services.activities.volunteers.rules import require_not_merged
from shared import bus
from shared.auth.scopes import Scope
from shared.errors import NotFound, Refusal
from shared.events import activities_deliverables as events
from shared.events.activities import EvidenceClass
from shared.ids import new_id
from shared.seen import Seen

_PLACES: Final = {  # What becomes of the place.
    Command.ACCEPT: places.Command.ATTEND,
    Command.ACCEPT_PARTLY: places.Command.ATTEND,
    Command.REJECT: places.Command.ATTEND,
    Command.ABANDON: places.Command.MISS,
}
Outcome = Deliverable | Refusal


@dataclass(frozen=True, slots=True)
class Word:
    """Whose word it is, and when; `by` is None for the partner's silence, and for the calendar."""

    by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Judge:
    """Who decides about work, within which scope, and when."""

    scope: Scope
    by: UUID
    at: datetime

    @property
    def word(self) -> Word:
        """What they say, as it is written down."""
        return Word(self.by, self.at)


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of the work of a place: `pieces` are those accepted."""

    standing: Standing
    command: Command
    pieces: int = 0


def accept(
    tx: Session, judge: Judge, deliverable_id: UUID, *, pieces: int | None, reason: str | None, seen: Seen
) -> Deliverable:
    """Accept what was handed in, or so many pieces of it; the same again changes nothing.

    Raises NotFound, RecordMerged, ChangedSince, OwnDeliverable, DeliverableClosed, NothingOwed, BadPieces,
    PartNeedsReason.
    """
    standing = _lock_one(tx, judge, deliverable_id)
    seen.require(standing.row)
    ending = _accept(judge.word, standing, pieces=pieces, reason=reason)
    _carry_out(tx, judge.word, [ending] if ending else [])
    return standing.row


def accept_many(tx: Session, judge: Judge, asked: Sequence[tuple[UUID, int]]) -> list[Outcome]:
    """Accept all of what was handed in, given as (deliverable, number of the submission that was seen), many at once.

    For each, in order, the work or why it is not accepted: that keeps no other back. Raises NotFound if there is one
    that does not exist, or that is not the caller's: then nothing is accepted.
    """
    found = find_deliverables(tx, judge.scope, {each for each, _ in asked})
    missing = {each for each, _ in asked} - {row.id for row in found}
    if missing:
        raise NotFound(deliverable_ids=sorted(str(each) for each in missing))
    standings = deliverables.lock(tx, found)
    outcomes: list[Outcome] = []
    endings = []
    for deliverable_id, submission in asked:
        try:
            standing = _held(standings, deliverable_id)
            rules.require_last(submission, last=standing.row.submissions)
            ending = _accept(judge.word, standing, pieces=None, reason=None)
        except Refusal as refusal:
            outcomes.append(refusal)
            continue
        endings += [ending] if ending else []
        outcomes.append(standing.row)
    _carry_out(tx, judge.word, endings)
    return outcomes


def reject(tx: Session, judge: Judge, deliverable_id: UUID, *, reason: str, seen: Seen) -> Deliverable:
    """Accept nothing of what was handed in: the service stays, and nothing of it is matched.

    Raises NotFound, RecordMerged, ChangedSince, OwnDeliverable, DeliverableClosed, NothingOwed.
    """
    standing = _lock_one(tx, judge, deliverable_id)
    seen.require(standing.row)
    _answer(judge.word, standing, Command.REJECT, reason=reason)
    _carry_out(tx, judge.word, [Ending(standing, Command.REJECT)])
    return standing.row


def request_revision(tx: Session, judge: Judge, deliverable_id: UUID, *, reason: str, seen: Seen) -> Deliverable:
    """Ask for the work once more, twice at most.

    Raises NotFound, RecordMerged, ChangedSince, OwnDeliverable, DeliverableClosed, NothingOwed, RevisionsUsedUp.
    """
    standing = _lock_one(tx, judge, deliverable_id)
    row = standing.row
    seen.require(row)
    if row.state == State.SUBMITTED:  # In any other it is not a question of how often.
        require_revisions_left(row.revisions)
    _answer(judge.word, standing, Command.REQUEST_REVISION, reason=reason)
    counts = {"submission": row.submissions, "revisions": row.revisions}
    asked = events.DeliverableRevisionRequested(**fact_of(row), at=judge.at, **counts, due_until=row.due_until)
    bus.emit(tx, asked)
    return row


def end(tx: Session, *, now: datetime, limit: int = rules.MOST_AT_ONCE) -> int:
    """Accept what the partner has left unanswered, and abandon what never came; return how many of both.

    Whose place is gone meanwhile, or whose record was merged into one that has the place as well, owes nothing more.
    """
    word = Word(None, now)
    standings = deliverables.lock(tx, find_ending(tx, now=now, limit=limit))
    endings = []
    for standing in standings.values():
        row = standing.row
        if row.state not in {State.OVERDUE, State.SUBMITTED} or row.waits_until is None or row.waits_until > now:
            continue  # Somebody was faster.
        if standing.merged_into is not None or not is_owed(standing.place):
            deliverables.pass_on(row, Command.RELEASE)
        elif row.state == State.OVERDUE:
            deliverables.pass_on(row, Command.ABANDON)
            endings.append(Ending(standing, Command.ABANDON))
        elif (ending := _accept(word, standing, pieces=None, reason=None)) is not None:
            endings.append(ending)
    _carry_out(tx, word, endings)
    return len(standings)


def _lock_one(tx: Session, judge: Judge, deliverable_id: UUID) -> Standing:
    """Lock the person, the shift and the work, and read it again: it may have changed while we waited."""
    return _held(deliverables.lock(tx, find_deliverables(tx, judge.scope, [deliverable_id])), deliverable_id)


def _held(standings: dict[UUID, Standing], deliverable_id: UUID) -> Standing:
    """Return how work stands that may be decided of. Raises NotFound, RecordMerged."""
    standing = standings.get(deliverable_id)
    if standing is None:
        raise NotFound(deliverable_id=deliverable_id)
    require_not_merged(standing.merged_into)
    return standing


def _accept(word: Word, standing: Standing, *, pieces: int | None, reason: str | None) -> Ending | None:
    """Accept work; None if it is accepted so already."""
    row = standing.row
    if row.state in rules.ACCEPTING and row.accepted_pieces == (row.pieces if pieces is None else pieces):
        return None
    command, accepted = rules.acceptance(pieces, handed_in=row.pieces or 1, reason=reason)
    _answer(word, standing, command, reason=reason)
    deliverables.note_accepted(row, pieces=accepted, is_by_silence=word.by is None)
    return Ending(standing, command, accepted)


def _answer(word: Word, standing: Standing, command: Command, *, reason: str | None) -> None:
    """Write down what somebody else says. Raises OwnDeliverable, DeliverableClosed, NothingOwed."""
    if word.by is not None:
        rules.require_stranger(word.by, volunteer_id=standing.row.volunteer_id)
    deliverables.answer(standing, Answer(command, word.by, word.at, reason))


def _carry_out(tx: Session, word: Word, endings: Sequence[Ending]) -> None:
    """Settle what was accepted, decide of the places, and tell it; rows, people and shifts are locked."""
    if not endings:
        return
    tx.flush()
    settlements = [found for each in endings if (found := _settlement(each, word)) is not None]
    if settlements:
        settle(tx, settlements)
    for command in (places.Command.ATTEND, places.Command.MISS):
        owing = [each.standing.row.sign_up_id for each in endings if _PLACES[each.command] is command]
        move(tx, Move(command, word.at), owing)
    facts = [_told(each, word) for each in endings]
    bus.emit_all(tx, facts, of=[each.volunteer_id for each in facts])


def _settlement(ending: Ending, word: Word) -> Settlement | None:
    """Say what is settled of accepted pieces: what is matched of a service, or the agreed minutes where none is known.

    None where nothing was accepted, and where a reviewer has taken the service back: that stays.
    """
    row, shift, known = ending.standing.row, ending.standing.shift, ending.standing.attendance
    if not ending.pieces or (known is not None and known.state == "voided"):
        return None
    agreed = rules.agreed_minutes(pieces=ending.pieces, minutes_per_piece=row.minutes_per_piece)
    if known is None or known.state == "checked_in":
        left = shift.starts_at + timedelta(minutes=agreed)
        presence = Presence(shift.starts_at, min(left, shift.ends_at), EvidenceClass.ATTESTED)
    else:
        presence = presence_of(known)
    return Settlement(
        new_id() if known is None else known.id, row.volunteer_id, shift, 1 if known is None else known.version + 1,
        presence, f"deliverable {row.id}: {row.state}, {ending.pieces}" + (" by silence" if word.by is None else ""),
        word.by or row.partner_id, word.at, known=known, agreed=agreed,
    )  # fmt: skip


def _told(ending: Ending, word: Word) -> events.OfDeliverable:
    row = ending.standing.row
    if ending.command is Command.ABANDON:
        return events.DeliverableAbandoned(**fact_of(row), at=word.at)
    if ending.command is Command.REJECT:
        return events.DeliverableRejected(**fact_of(row), at=word.at, submission=row.submissions)
    minutes = rules.agreed_minutes(pieces=ending.pieces, minutes_per_piece=row.minutes_per_piece)
    return events.DeliverableAccepted(
        **fact_of(row), at=word.at, submission=row.submissions, pieces=ending.pieces, agreed_minutes=minutes,
        is_by_silence=word.by is None, is_partial=ending.command is Command.ACCEPT_PARTLY,
    )  # fmt: skip
