"""What can be done with files: they are handed in with a submission, and forgotten with their person."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from services.activities.deliverables.actions import Work, hand_in
from services.activities.deliverables.tables import Submission
from services.activities.work_files import rules
from services.activities.work_files.tables import WorkFile
from shared.audit import Change, note
from shared.auth.scopes import Scope
from shared.documents.uploads import plain_name
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it is sent, under whatever name."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, slots=True)
class Sending:
    """What somebody hands in of their own, with its files, and when."""

    programme_id: UUID
    volunteer_id: UUID
    deliverable_id: UUID
    pieces: int
    note: str
    files: Sequence[Sent]
    at: datetime


def submit(tx: Session, sending: Sending) -> Submission:
    """Hand work in with its files; the same again, before anybody has answered, changes nothing and returns the first.

    All files are judged before anything is locked, and one that is refused lets nothing be kept. They are read one by
    one: of all of them together no more than one is in memory.
    Raises EmptyFile, WorkFileTooLarge, WorkFilesTooLarge, WrongFileType, and what `hand_in` raises.
    """
    sizes = [each.content.seek(0, os.SEEK_END) for each in sending.files]
    rules.require_sizes(sizes)
    types = [
        rules.require_type(_head(each.content), size=size, field=f"files.{place}")
        for place, (each, size) in enumerate(zip(sending.files, sizes, strict=True))
    ]
    hashes = [_hash(each.content) for each in sending.files]
    digest = rules.digest_of(pieces=sending.pieces, note=sending.note, files=hashes)
    scope = Scope(sending.programme_id, volunteer_id=sending.volunteer_id)
    work = Work(
        scope, sending.volunteer_id, sending.deliverable_id, sending.pieces, sending.note, digest, sending.at
    )  # fmt: skip
    submission, is_new = hand_in(tx, work)
    if is_new:
        for number, (each, media_type, sha256) in enumerate(zip(sending.files, types, hashes, strict=True), start=1):
            _keep(tx, submission, number, each, media_type, sha256)
    return submission


def forget_files_of(tx: Session, *, volunteer_id: UUID) -> None:
    """Empty the files that a person has handed in; how many they were, and of which size and type, stays."""
    theirs = select(Submission.id).where(Submission.volunteer_id == volunteer_id)
    rows = update(WorkFile).where(WorkFile.submission_id.in_(theirs)).values(name="", content=None, sha256=None)
    note(tx, "work_file", (), forgotten=len(tx.scalars(rows.returning(WorkFile.id)).all()))


def _head(content: IO[bytes]) -> bytes:
    content.seek(0)
    return content.read(rules.HEAD_BYTES)


def _hash(content: IO[bytes]) -> bytes:
    content.seek(0)
    found = hashlib.sha256()
    while chunk := content.read(rules.MIB):
        found.update(chunk)
    return found.digest()


def _keep(tx: Session, submission: Submission, number: int, sent: Sent, media_type: str, sha256: bytes) -> None:
    """Write one file down, by a statement: the session would hold its content until the end."""
    sent.content.seek(0)
    content = sent.content.read()
    values = {
        "id": new_id(), "programme_id": submission.programme_id, "submission_id": submission.id, "number": number,
        "name": rules.kept_name(plain_name(sent.name), number=number), "media_type": media_type,
        "size": len(content), "sha256": sha256, "content": content,
    }  # fmt: skip
    tx.execute(insert(WorkFile).values(values))
    shown = {"submission_id": submission.id, "number": number, "media_type": media_type, "size": len(content)}
    note(tx, "work_file", [Change(values["id"], None, shown)], added=1)
