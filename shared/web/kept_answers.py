"""Answers to calls with an `Idempotency-Key`, kept in the transaction of what they tell of.

Kept for `KEPT_FOR`, by the server's clock, and then removed by the upkeep; never before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import LargeBinary, MetaData, PrimaryKeyConstraint, SmallInteger, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from shared.database import packed
from shared.database.base import COLUMN_TYPES, NAMES
from shared.privacy import naming

KEPT_FOR = timedelta(hours=48)
AT_ONCE = 1_000

_TRY_LOCK = text("""
    SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE pg_try_advisory_xact_lock(hashtextextended(name, 0))
""")
_FIND = text("""
    SELECT programme_id, person_id, key, request_hash, status, headers, body
    FROM kept_answer JOIN unnest(CAST(:programmes AS uuid[]), CAST(:people AS uuid[]), CAST(:keys AS text[]))
        AS given(programme_id, person_id, key) USING (programme_id, person_id, key)
""")
_KEEP = text("""
    INSERT INTO kept_answer (programme_id, person_id, key, operation, request_hash, status, headers, body)
    SELECT * FROM unnest(
        CAST(:programmes AS uuid[]), CAST(:people AS uuid[]), CAST(:keys AS text[]), CAST(:operations AS text[]),
        CAST(:hashes AS bytea[]), CAST(:statuses AS smallint[]), CAST(:headers AS text[]), CAST(:bodies AS bytea[]))
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


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, the hash of the request that it was given to, and of which operation."""

    operation: str
    request_hash: bytes
    answer: Answer


def try_lock(tx: Session, keys: Collection[Key]) -> set[Key]:
    """Claim keys until the end of the transaction; return those that no other call holds, at once."""
    named = {f"answer to {key.programme_id} {key.person_id} {key.key}": key for key in keys}
    return {named[name] for name in tx.scalars(_TRY_LOCK, {"names": packed.texts(named)})}


def find(tx: Session, keys: Sequence[Key]) -> dict[Key, tuple[bytes, Answer]]:
    """Return what was answered to keys, and the hash of the request of each.

    Locked first: an answer that is being kept would be overlooked.
    """
    return {
        Key(row.programme_id, row.person_id, row.key): (
            row.request_hash, Answer(row.status, orjson.loads(row.headers), row.body)
        )
        for row in tx.execute(_FIND, _columns(keys))
    }  # fmt: skip


def keep(tx: Session, kept: Mapping[Key, Kept]) -> None:
    """Keep answers, to be found from the commit on."""
    answers = [each.answer for each in kept.values()]
    told = {
        "operations": packed.texts(each.operation for each in kept.values()),
        "hashes": packed.bodies(each.request_hash for each in kept.values()),
        "statuses": packed.small_integers([answer.status for answer in answers]),
        "headers": packed.texts(orjson.dumps(answer.headers).decode() for answer in answers),
        "bodies": packed.bodies(answer.body for answer in answers),
    }
    tx.execute(_KEEP, _columns(list(kept)) | told)


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


def _columns(keys: Sequence[Key]) -> dict[str, object]:
    return {
        "programmes": packed.uuids(key.programme_id for key in keys),
        "people": packed.uuids(key.person_id for key in keys),
        "keys": packed.texts(key.key for key in keys),
    }
