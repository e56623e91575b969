"""Staged rows as they are kept: in parts of JSON, so that neither writing nor reading them needs one great value.

A part is a list of `[number, effect, before, [values]]`. The effect is null where no preview showed it, in rows that
were staged before there was one; any effect will do then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from shared.imports.judging import Effect, Verdict
from shared.imports.kinds import ImportKind
from shared.imports.tables import ImportRows

PART_ROWS: Final = 5_000

R = TypeVar("R", bound=tuple[Any, ...])


class Line(NamedTuple):
    """One staged row: its number in the file, what the preview says it does, and what it would replace."""

    number: int
    effect: Effect | None
    before: dict[str, str] | None
    row: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Packed(Generic[R]):
    """What was staged: the rows, and what the preview showed of each."""

    rows: Sequence[R]
    effects: Sequence[Effect | None]
    before: Sequence[dict[str, str] | None]

    def changed(self, verdict: Verdict) -> set[int]:
        """Return the places of rows that are not good any more, or do something that nobody was shown."""
        places = range(len(self.rows))
        return {place for place in places if place in verdict.objections or self._differs(place, verdict)}

    def _differs(self, place: int, verdict: Verdict) -> bool:
        """Say whether a row does something else than was shown; that somebody else has done it already is well."""
        shown, now = self.effects[place], verdict.effects[place]
        if shown is None or now is Effect.SKIP:
            return False
        return now is not shown or dict(verdict.before.get(place, {})) != (self.before[place] or {})


def pack(tx: Session, import_id: UUID, lines: Iterator[Line]) -> None:
    """Write lines, part by part."""
    part: list[Line] = []
    number = 0
    for line in lines:
        part.append(line)
        if len(part) == PART_ROWS:
            _write(tx, import_id, number, part)
            part, number = [], number + 1
    if part:
        _write(tx, import_id, number, part)


def _write(tx: Session, import_id: UUID, number: int, lines: Sequence[Line]) -> None:
    body = orjson.dumps([[line.number, line.effect, line.before, list(line.row)] for line in lines])
    tx.execute(insert(ImportRows).values(import_id=import_id, part=number, body=body))


def unpack(tx: Session, import_id: UUID, kind: ImportKind[R, Any]) -> Packed[R]:
    """Read back all rows of an import."""
    rows, effects, before = list[R](), list[Effect | None](), list[dict[str, str] | None]()
    bodies = select(ImportRows.body).where(ImportRows.import_id == import_id).order_by(ImportRows.part)
    for body in tx.scalars(bodies.execution_options(yield_per=1)):
        lines = orjson.loads(body)
        rows += kind.reader.validate_json(orjson.dumps([line[3] for line in lines]))
        effects += [Effect(line[1]) if line[1] else None for line in lines]
        before += [line[2] for line in lines]
    return Packed(rows, effects, before)


def shown(value: object) -> str | int | None:
    """Write one value as a preview shows it: instants in UTC, in ISO form."""
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)  # An instant is a date to Python.
