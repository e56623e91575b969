"""Answers to calls with an `Idempotency-Key`, kept in the transaction of what they tell of.

Kept for `KEPT_FOR`, by the server's clock, and then removed by the upkeep; never before.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import LargeBinary, MetaData, PrimaryKeyConstraint, SmallInteger, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from shared.database.base import COLUMN_TYPES, NAMES
from shared.privacy import naming

KEPT_FOR = timedelta(hours=48)
AT_ONCE = 1_000

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_FIND = text("""
    SELECT request_hash, status, headers, body FROM kept_answer
    WHERE programme_id = :programme_id AND person_id = :person_id AND key = :key
""")
_KEEP = text("""
    INSERT INTO kept_answer (programme_id, person_id, key, operation, request_hash, status, headers, body)
    VALUES (:programme_id, :person_id, :key, :operation, :request_hash, :status, :headers, :body)
""")
_FORGET = text("""
    DELETE FROM kept_answer WHERE (programme_id, person_id, key) IN (
        SELECT programme_id, person_id, key FROM kept_answer
        WHERE kept_at < now() - CAST(:age AS interval) ORDER BY kept_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING 1
""")

# Whom these seem to name may be somebody else (E1 stands in E10 as well), so they are read before they go.
_SEEM_TO_NAME = text("""
    SELECT person_id, key, body FROM kept_answer
    WHERE programme_id = :programme_id
        AND EXISTS (SELECT FROM unnest(CAST(:spellings AS bytea[])) AS spelling WHERE position(spelling IN body) > 0)
    ORDER BY person_id, key FOR UPDATE
""")
_FORGET_THESE = text("""
    DELETE FROM kept_answer USING unnest(CAST(:people AS uuid[]), CAST(:keys AS text[])) AS named(person, named_key)
    WHERE programme_id = :programme_id AND person_id = person AND key = named_key RETURNING 1
""")


class Base(DeclarativeBase):
    """The base of the doors' rows; they stand in every service's database beside its own."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = COLUMN_TYPES


class KeptAnswer(Base):
    """What one person was answered to one key."""

    __tablename__ = "kept_answer"
    __table_args__ = (PrimaryKeyConstraint("programme_id", "person_id", "key"),)

    programme_id: Mapped[UUID]
    person_id: Mapped[UUID]
    key: Mapped[str]
    operation: Mapped[str]
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


@dataclass(frozen=True, slots=True)
class Key:
    """A key is its sender's own: of one person in one programme, whatever they call with it."""

    programme_id: UUID
    person_id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was or is to be sent."""

    status: int
    headers: dict[str, str]
    body: bytes


def try_lock(tx: Session, key: Key) -> bool:
    """Claim a key until the end of the transaction; False at once if another call holds it."""
    name = f"answer to {key.programme_id} {key.person_id} {key.key}"
    return bool(tx.execute(_TRY_LOCK, {"name": name}).scalar_one())


def find(tx: Session, key: Key) -> tuple[bytes, Answer] | None:
    """Return the hash of the request that a key was sent with, and its answer. Locked first: it would be overlooked."""
    row = tx.execute(_FIND, _columns(key)).first()
    return None if row is None else (row.request_hash, Answer(row.status, orjson.loads(row.headers), row.body))


def keep(tx: Session, key: Key, answer: Answer, *, operation: str, request_hash: bytes) -> None:
    """Keep an answer, to be found from the commit on."""
    told = {"status": answer.status, "headers": orjson.dumps(answer.headers).decode(), "body": answer.body}
    tx.execute(_KEEP, _columns(key) | told | {"operation": operation, "request_hash": request_hash})


def forget(tx: Session) -> int:
    """Remove answers that were kept long enough, at most `AT_ONCE`; return how many."""
    return len(tx.execute(_FORGET, {"age": KEPT_FOR, "limit": AT_ONCE}).all())


def forget_naming(tx: Session, *, programme_id: UUID, texts: Collection[str]) -> int:
    """Remove the answers to a programme's people that name somebody by one of these texts; return how many."""
    seeming = {"programme_id": programme_id, "spellings": sorted(naming.spellings(texts))}
    rows = tx.execute(_SEEM_TO_NAME, seeming).all()
    named = [(row.person_id, row.key) for row in rows if naming.holds_any(row.body, texts)]
    these = {"people": [person for person, _ in named], "keys": [key for _, key in named]}
    return len(tx.execute(_FORGET_THESE, {"programme_id": programme_id} | these).all())


def _columns(key: Key) -> dict[str, object]:
    return {"programme_id": key.programme_id, "person_id": key.person_id, "key": key.key}
