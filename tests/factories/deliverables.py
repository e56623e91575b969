"""Factories of work that is handed in: a shift with terms, what a place of it owes, what was handed in."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.listings.tables import Listing, Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.work_files.tables import WorkFile
from shared.ids import new_id
from tests.factories.activities import NOON, PROGRAMME, make_listing, make_shift, make_sign_up

DUE = NOON + timedelta(days=5, hours=12)  # The first of June is a Wednesday: until the end of Monday.
PDF = b"%PDF-1.7\nsynthetic"


def make_work_shift(tx: Session, *, minutes_per_piece: int = 30, timezone: str = "Asia/Shanghai", **more: Any) -> Shift:
    """Make a shift from nine to noon of work that is handed in."""
    owner = {name: more.pop(name) for name in ("programme_id", "partner_id") if name in more}
    terms = {"criteria": "无错别字", "minutes_per_piece": minutes_per_piece, "mode": "online"}
    listing: Listing = make_listing(tx, **owner, **terms, timezone=timezone)
    return make_shift(tx, listing=listing, minutes_per_piece=minutes_per_piece, **more)


def make_deliverable(
    tx: Session, *, place: SignUp | None = None, shift: Shift | None = None, programme_id: UUID = PROGRAMME,
    **overrides: Any,
) -> Deliverable:  # fmt: skip
    """Make what a place owes, of a shift and a place of its own unless they are given; nothing was handed in."""
    shift = shift or make_work_shift(tx, programme_id=programme_id, owed_at=NOON)
    place = place or make_sign_up(tx, shift)
    values = {
        "programme_id": shift.programme_id, "sign_up_id": place.id, "shift_id": shift.id,
        "listing_id": shift.listing_id, "partner_id": shift.partner_id, "volunteer_id": place.volunteer_id,
        "service_on": shift.service_on, "minutes_per_piece": shift.minutes_per_piece, "state": "due",
        "due_until": DUE, "waits_until": DUE, "submissions": 0, "revisions": 0, "is_by_silence": False,
    }  # fmt: skip
    row = Deliverable(id=new_id(), **values | overrides)
    tx.add(row)
    tx.flush()
    return row


def make_submitted(tx: Session, *, pieces: int = 3, **overrides: Any) -> Deliverable:
    """Make work that was handed in, with a file; the partner has not answered."""
    until = NOON + timedelta(days=7, hours=12)
    states: dict[str, Any] = {"state": "submitted", "submissions": 1, "pieces": pieces, "waits_until": until}
    row = make_deliverable(tx, **states | overrides)
    submission = make_submission(tx, row)
    make_work_file(tx, submission)
    return row


def make_submission(tx: Session, row: Deliverable, **overrides: Any) -> Submission:
    values = {
        "programme_id": row.programme_id, "deliverable_id": row.id, "volunteer_id": row.volunteer_id,
        "number": row.submissions or 1, "pieces": row.pieces or 1, "note": "第一版", "digest": b"digest",
        "submitted_at": NOON,
    }  # fmt: skip
    submission = Submission(id=new_id(), **values | overrides)
    tx.add(submission)
    tx.flush()
    return submission


def make_work_file(tx: Session, submission: Submission, **overrides: Any) -> WorkFile:
    values = {
        "programme_id": submission.programme_id, "submission_id": submission.id, "number": 1, "name": "稿件.pdf",
        "media_type": "application/pdf", "size": len(PDF), "sha256": b"hash", "content": PDF,
    }  # fmt: skip
    file = WorkFile(id=new_id(), **values | overrides)
    tx.add(file)
    tx.flush()
    return file
