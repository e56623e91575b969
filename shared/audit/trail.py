"""What one call changes, collected while it works.

The ORM's rows are seen at each flush, with what they were and what they become. Columns marked `PRIVATE` (personal or
secret), and bytes, are named and not shown, in keys as well.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, event, inspect
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import ColumnProperty, Mapper, Session, UOWTransaction
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.base import PASSIVE_NO_INITIALIZE

MOST_SHOWN = 50  # Changes of one kind of thing in one entry; of more only the counts are kept.
PRIVATE: Final[dict[Any, Any]] = {"private": True}  # `mapped_column(info=PRIVATE)`.
HIDDEN = "(not shown)"
_TRAIL = "popcandy.audit"

Values = Mapping[str, object]


class Change(NamedTuple):
    """One thing before and after; None where it did not exist. Ids and values, never a name of a person.

    `how` is what is counted, where changes of several kinds are noted together; `of` is the person whose call changed
    it, where several calls are carried out together.
    """

    id: object
    before: Values | None
    after: Values | None
    how: str = ""
    of: object = None


@dataclass(slots=True)
class Trail:
    """What a call has changed so far, by kind of thing; a thing changed twice is shown from first to last."""

    changes: dict[str, dict[str, tuple[Values | None, Values | None]]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    hidden: set[tuple[str, tuple[object, ...]]] = field(default_factory=set)  # What `changes` cannot tell apart.

    def add(self, thing: str, changes: Iterable[Change], counts: Mapping[str, int]) -> None:
        """Add changes, which are looked at only as long as few enough to be shown."""
        counted = self.counts.setdefault(thing, Counter())
        counted.update(counts)
        known = self.changes.setdefault(thing, {})
        if counted.total() > MOST_SHOWN:
            known.clear()
            return
        for change in changes:
            before, after = _plain(change.before), _plain(change.after)
            key = str(change.id)
            if key in known:
                first, last = known[key]
                before = None if first is None else {**(before or {}), **first}
                after = None if after is None else {**(last or {}), **after}
            known[key] = before, after

    def is_full(self, thing: str) -> bool:
        """Say whether of this kind of thing only the counts are kept by now."""
        counted = self.counts.get(thing)
        return counted is not None and counted.total() > MOST_SHOWN

    def shown(self) -> list[dict[str, Any]]:
        """Return the changes as they are kept: of what was there before and after, only the values that differ."""
        return [
            {"thing": thing, "id": key, **_difference(*pair)}
            for thing, changes in self.changes.items()
            for key, pair in changes.items()
        ]

    def counted(self) -> dict[str, dict[str, int]]:
        """Return how many things of each kind were changed, and how."""
        return {
            thing: {how: n for how, n in counts.items() if n} for thing, counts in self.counts.items() if counts.total()
        }


class Trails(dict[object, Trail]):
    """What calls that are carried out together have changed so far, by the person whose call it is."""

    def add(self, thing: str, changes: Iterable[Change], counts: Mapping[str, int]) -> None:
        """Add each change to the trail of whom it is of. Raises KeyError for one that is of nobody here."""
        only = next(iter(counts)) if len(counts) == 1 else ""
        for change in changes:
            self[change.of].add(thing, [change], {change.how or only: 1})


def begin(tx: Session) -> Trail:
    """Collect what this session changes from now on."""
    trail = Trail()
    tx.info[_TRAIL] = trail
    return trail


def begin_each(tx: Session, people: Iterable[object]) -> Trails:
    """Collect apart what this session changes for each of these people's calls; it may flush no rows of the ORM."""
    trails = Trails((person, Trail()) for person in people)
    tx.info[_TRAIL] = trails
    return trails


def note(tx: Session, thing: str, changes: Iterable[Change], **counts: int) -> None:
    """Say what a statement for many rows has changed, and how many of which kind; nothing without a trail.

    `changes` is not read when there are more than `MOST_SHOWN`, so a generator costs nothing then.
    """
    trail: Trail | Trails | None = tx.info.get(_TRAIL)
    if trail is not None and any(counts.values()):
        trail.add(thing, changes, counts)


def identity_of(row: object) -> tuple[str, str]:
    """Name a row as the trail does: its table, and its key; parts of a key that are private are not shown."""
    mapper: Mapper[Any] = inspect(type(row))
    parts = zip(mapper.primary_key_from_instance(row), mapper.primary_key, strict=True)
    key = "/".join(HIDDEN if _is_secret(column) else str(part) for part, column in parts)
    return str(mapper.local_table.name), key  # type: ignore[attr-defined]  # A table.


@event.listens_for(Session, "after_flush")
def _see(tx: Session, _context: UOWTransaction) -> None:
    """Note the rows of a flush; their history still stands, and the server has given them their keys."""
    if _TRAIL not in tx.info:
        return
    trail: Trail | Trails = tx.info[_TRAIL]
    if isinstance(trail, Trails):
        raise TypeError("whose a row of the ORM is cannot be told: calls carried out together write by statements")
    for how, rows, read in (("added", tx.new, _added), ("changed", tx.dirty, _changed), ("removed", tx.deleted, _gone)):
        for row in rows:
            thing, key = identity_of(row)
            if trail.is_full(thing):
                trail.add(thing, (), {how: int(how != "changed" or tx.is_modified(row))})
            elif (change := read(row)) is not None:
                whole = thing, tuple(inspect(type(row)).primary_key_from_instance(row))
                is_again = whole in trail.hidden if HIDDEN in key else key in trail.changes.get(thing, ())
                if HIDDEN in key:
                    trail.hidden.add(whole)
                trail.add(thing, [change], {} if is_again else {how: 1})  # Counted when it was seen first.


def _added(row: object) -> Change:
    return Change(identity_of(row)[1], None, _masked(row, _loaded(row)))


def _changed(row: object) -> Change | None:
    before, after = {}, {}
    for name in _columns(row):
        history = get_history(row, name, PASSIVE_NO_INITIALIZE)
        if history.added:
            before[name] = history.deleted[0] if history.deleted else None
            after[name] = history.added[0]
    return Change(identity_of(row)[1], _masked(row, before), _masked(row, after)) if after else None


def _gone(row: object) -> Change:
    return Change(identity_of(row)[1], _masked(row, _loaded(row)), None)


def _loaded(row: object) -> dict[str, object]:
    held = inspect(row).dict
    return {name: held[name] for name in _columns(row) if name in held}


def _columns(row: object) -> list[str]:
    mapper: Mapper[Any] = inspect(type(row))
    return [attribute.key for attribute in mapper.column_attrs]


def _masked(row: object, values: dict[str, object]) -> dict[str, object]:
    """Name what is private without showing it."""
    mapper: Mapper[Any] = inspect(type(row))
    return {
        name: HIDDEN if value is not None and is_private(mapper.column_attrs[name]) else value
        for name, value in values.items()
    }


def is_private(attribute: ColumnProperty[Any]) -> bool:
    """Say whether a column is named and not shown."""
    return _is_secret(attribute.columns[0])


def _is_secret(column: ColumnElement[Any]) -> bool:
    return bool(column.info.get("private")) or isinstance(column.type, LargeBinary)


def _plain(values: Values | None) -> dict[str, object] | None:
    """Write values so that equal ones are written alike."""
    return None if values is None else {name: _value(value) for name, value in values.items()}


def _value(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Range):
        return [_value(value.lower), _value(value.upper)]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | UUID):
        return str(value)
    return value


def _difference(before: Values | None, after: Values | None) -> dict[str, Values | None]:
    if before is None or after is None:
        return {"from": before, "to": after}
    differing = [name for name in after if after[name] == HIDDEN or before.get(name) != after[name]]
    return {"from": {name: before.get(name) for name in differing}, "to": {name: after[name] for name in differing}}
