"""What can be done with all the data of a person: take it out, or erase the person."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance.queries import find_under_way, list_shifts_attended
from services.activities.calendar_feeds import actions as calendar_feeds
from services.activities.certificates.actions import forget_content
from services.activities.check_ins.actions import forget_attempts, forget_attempts_of
from services.activities.check_ins.rules import WINDOW
from services.activities.claims import actions as claims
from services.activities.consents.actions import withdraw_all
from services.activities.deliverables import actions as deliverables
from services.activities.feedback import actions as feedback
from services.activities.incidents.actions import forget_words_of
from services.activities.kit_returns import actions as kit_returns
from services.activities.kits import actions as kits
from services.activities.personal_data import queries, rules
from services.activities.personal_data.rules import Kind
from services.activities.personal_data.tables import Access
from services.activities.profiles.actions import forget as forget_profile
from services.activities.reliability import actions as reliability
from services.activities.scans.actions import forget_marks_of, forget_scans
from services.activities.sign_ups.actions import forget_reasons, withdraw_ahead
from services.activities.volunteers.actions import forget_suppressed, pseudonymise
from services.activities.volunteers.queries import list_merged, lock_for_erasure, lock_volunteer
from services.activities.volunteers.tables import Volunteer
from services.activities.work_files.actions import forget_files_of
from shared import telemetry
from shared.ids import new_id
from shared.imports.forgetting import forget_person
from shared.privacy import retention
from shared.web.kept_answers import forget_naming

log = telemetry.get_logger()

_FORGETTING: tuple[Callable[..., object], ...] = (
    forget_attempts_of,
    forget_marks_of,
    forget_profile,
    forget_reasons,
    calendar_feeds.forget,
    forget_words_of,
    claims.forget_words_of,
    forget_files_of,
    deliverables.forget_words_of,
    kits.forget,
    kit_returns.forget_words_of,
    feedback.forget_texts,
    reliability.forget_texts,
    forget_content,
)


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for a person's data, or for their erasure; `reason` is None for the person themself."""

    programme_id: UUID
    volunteer_id: UUID
    asked_by: UUID
    reason: str | None
    at: datetime


def export(tx: Session, request: Request) -> queries.Everything:
    """Gather all that is known of a person, and record that it was taken out; own looks once an hour. Raises NotFound.

    It waits for an erasure at the same time, lest it give out what is about to be gone and be recorded after that.
    """
    person = lock_volunteer(tx, programme_id=request.programme_id, volunteer_id=request.volunteer_id)
    if not _is_known(tx, request):
        _record(tx, request, Kind.EXPORT)
    return queries.gather(tx, person)


def _is_known(tx: Session, request: Request) -> bool:
    """Say whether it is recorded that the person themself is looking; the lock on the person is held."""
    since = request.at - rules.ONE_VISIT
    return request.reason is None and queries.has_taken_out_own(tx, volunteer_id=request.volunteer_id, since=since)


def erase(tx: Session, request: Request) -> Access:
    """Put pseudonyms in the place of a person, for good; again changes nothing and returns the first record.

    Attendances, their versions and what was donated for them stay, by id: the books need them. Places on shifts ahead
    are given back, consents withdrawn; wrong codes, marks of devices, rows of sheets, what was said in words after
    shifts, what was handed in and what certificates show forgotten.
    Raises NotFound, ServiceUnderWay.
    """
    person = lock_for_erasure(tx, programme_id=request.programme_id, volunteer_id=request.volunteer_id)
    if person.erased_at is not None:
        return queries.get_erasure(tx, volunteer_id=person.id)
    over_at = request.at - WINDOW  # A shift that ended before then cannot be checked into or out of.
    under_way = find_under_way(tx, volunteer_id=person.id, over_at=over_at)
    rules.require_none_under_way(is_under_way=under_way is not None)
    attended = list_shifts_attended(tx, volunteer_id=person.id)
    places = withdraw_ahead(tx, volunteer_id=person.id, attended=attended, over_at=over_at, now=request.at)
    sheets = _forget(tx, person, request)
    log.info("volunteer.erased", volunteer_id=str(person.id), places=places, sheets=sheets)
    return _record(tx, request, Kind.ERASURE)


def forget_expired(tx: Session, *, now: datetime) -> dict[str, int]:
    """Delete what of activities' own has been kept for long enough, at most a batch of each kind; return how many."""
    limit = retention.AT_ONCE
    return {
        "code_attempts": forget_attempts(tx, before=retention.before("code_attempts", now), limit=limit),
        "scans": forget_scans(tx, before=retention.before("scans", now), limit=limit),
        "suppressed_numbers": forget_suppressed(tx, before=retention.before("suppressed_numbers", now), limit=limit),
    }


def _forget(tx: Session, person: Volunteer, request: Request) -> int:
    """Forget what names a person, by any of their records; return from how many sheets they were taken."""
    records = [person, *list_merged(tx, volunteer_id=person.id)]
    for each in records:
        withdraw_all(
            tx, programme_id=each.programme_id, volunteer_id=each.id, recorded_by=request.asked_by,
            reason=request.reason, now=request.at,
        )  # fmt: skip
        for forget in _FORGETTING:
            forget(tx, volunteer_id=each.id)
    texts = [text for each in records for text in (each.employee_number, each.display_name)]
    sheets = forget_person(tx, programme_id=person.programme_id, texts=texts, now=request.at)
    forget_naming(tx, programme_id=person.programme_id, texts=texts)
    for each in records:
        pseudonymise(tx, each, now=request.at)
    return sheets


def _record(tx: Session, request: Request, kind: Kind) -> Access:
    access = Access(
        id=new_id(),
        programme_id=request.programme_id,
        volunteer_id=request.volunteer_id,
        kind=kind,
        accessed_by=request.asked_by,
        reason=request.reason,
        accessed_at=request.at,
    )
    tx.add(access)
    tx.flush()
    return access
