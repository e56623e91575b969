"""What a caller has read of a thing before deciding about it, and whether the thing is still that.

A thing's tag is its `version` if it has one, else a hash of what its row holds: it changes whenever anything of the row
does, and no writer can forget it. Who decides compares it after locking the row, so that of two decisions on one
reading only the first is carried out (`docs/decisions/0027-safe-calls.md`).
"""

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Self
from uuid import UUID

import orjson
from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import InstanceState, Mapper

from shared.errors import ChangedSince, ReadFirst

TAG_BYTES = 15  # 120 bits: 20 characters, and no padding.


@dataclass(frozen=True, slots=True)
class Seen:
    """The tags of the readings that a decision rests on."""

    tags: Collection[str] = ()
    anything: bool = False  # Whatever there is, as long as there is something.
    nothing: bool = False  # The decision is to make what does not exist.

    @classmethod
    def of(cls, row: object) -> Self:
        """Decide on this very reading, as callers within a process do."""
        return cls((tag_of(row),))

    def require(self, row: object) -> None:
        """Refuse a decision on another reading than of `row` as it is now, locked. Raises ChangedSince, ReadFirst."""
        if not (self.tags or self.anything or self.nothing):
            raise ReadFirst
        if self.nothing or not (self.anything or tag_of(row) in self.tags):
            raise ChangedSince

    def require_none(self) -> None:
        """Refuse a decision on a thing that does not exist. Raises ChangedSince."""
        if self.tags or self.anything:
            raise ChangedSince


ANYTHING = Seen(anything=True)


def tag_of(row: object) -> str:
    """Return a row's tag: its version, or a hash of its columns but those that are loaded only when asked for."""
    mapper: Mapper[Any] = inspect(type(row))
    version = getattr(row, "version", None)
    if isinstance(version, int):
        return str(version)
    names = sorted(attribute.key for attribute in mapper.column_attrs if not attribute.deferred)
    return hash_of(orjson.dumps([(name, _plain(getattr(row, name))) for name in names], option=orjson.OPT_SORT_KEYS))


def is_row(value: object) -> bool:
    """Say whether something is a row of a table."""
    return isinstance(inspect(value, raiseerr=False), InstanceState)


def hash_of(content: bytes) -> str:
    """Return the tag of what has no row of its own: of its representation."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()[:TAG_BYTES]).decode()


def _plain(value: object) -> object:
    """Write a value alike whether it was just set or has been to the database and back."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Range):
        return [_plain(value.lower), _plain(value.upper), value.bounds]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | UUID):
        return str(value)
    return value
