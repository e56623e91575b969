"""Staging: a sheet is read and judged; what is good waits for the commit, what is not becomes a file to mend."""

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from threading import BoundedSemaphore
from typing import IO, Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from shared import telemetry
from shared.database.sessions import give_time
from shared.documents import sheets
from shared.documents.cells import Cell
from shared.documents.columns import Layout
from shared.documents.rejects import write_rejected
from shared.documents.sheets import Reading, RejectedRow, Row, reading
from shared.documents.uploads import plain_name
from shared.ids import new_id
from shared.imports.judging import Case, Effect, Verdict
from shared.imports.kinds import ImportKind
from shared.imports.packing import Line, pack, shown
from shared.imports.refusals import ImportsBusy
from shared.imports.tables import Import
from shared.privacy.locks import lock_against_erasure
from shared.zones import zone

MOST_ERRORS_SHOWN: Final = 200
MOST_SAMPLES: Final = 10  # Of each effect.
LARGE_BYTES: Final = 4 * 1024 * 1024
MOST_LARGE: Final = 2  # Large sheets that a process reads at once: each takes some hundred megabytes.
STAGING_SECONDS: Final = 300

R = TypeVar("R", bound=tuple[Any, ...])
log = telemetry.get_logger()
_large = BoundedSemaphore(MOST_LARGE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A sheet that somebody sends in; instants without an offset are local to `timezone`. `size` is in bytes."""

    programme_id: UUID
    sent_by: UUID
    timezone: str
    file_name: str
    content: IO[bytes]
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Sheet(Generic[R]):
    """A sheet that was read: good rows with their numbers and cells, each at the same place, and the others."""

    kind: sheets.Kind
    layout: Layout
    rows: list[R] = field(default_factory=list)
    numbers: "array[int]" = field(default_factory=lambda: array("L"))
    cells: list[list[Cell]] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


def stage(tx: Session, kind: ImportKind[R, Any], upload: Upload, *, now: datetime) -> Import:
    """Read and judge a sheet; keep its good rows for the commit, and the others as a file to mend.

    Raises UnknownTimezone, ImportsBusy, and the refusals of `shared.documents` for a file that cannot be used at all.
    """
    lock_against_erasure(tx, programme_id=upload.programme_id)
    case = Case(upload.programme_id, new_id(), upload.timezone, upload.sent_by, now)
    columns = kind.columns(zone(upload.timezone))
    with _admitted(upload.size):
        give_time(tx, seconds=STAGING_SECONDS)
        with reading(upload.content, filename=upload.file_name, columns=columns) as found:
            sheet = _read(kind, found)
        _facts, verdict = kind.judged(tx, case, sheet.rows)
        staged = _import(kind, case, upload, sheet)
        _judge(staged, sheet, verdict)
        tx.add(staged)
        tx.flush()
        pack(tx, staged.id, _lines(sheet, verdict))
    log.info("import.staged", kind=kind.name, import_id=str(staged.id), rows=len(sheet.rows), rejects=staged.rejects)
    return staged


@contextmanager
def _admitted(size: int) -> Iterator[None]:
    """Let few large sheets be read at once. The others come again: who waits holds a connection. Raises ImportsBusy."""
    if size <= LARGE_BYTES:
        yield
        return
    if not _large.acquire(blocking=False):
        raise ImportsBusy(retry_after=30)
    try:
        yield
    finally:
        _large.release()


def _read(kind: ImportKind[R, Any], found: Reading) -> _Sheet[R]:
    sheet: _Sheet[R] = _Sheet(found.kind, found.layout)
    for row in found.rows:
        if isinstance(row, Row):
            sheet.rows.append(kind.make(row.values))
            sheet.numbers.append(row.number)
            sheet.cells.append(row.cells)
        else:
            sheet.rejected.append(row)
    return sheet


def _import(kind: ImportKind[R, Any], case: Case, upload: Upload, sheet: _Sheet[R]) -> Import:
    return Import(
        id=case.import_id,
        programme_id=case.programme_id,
        kind=kind.name,
        state="staged",
        file_name=plain_name(upload.file_name),
        file_kind=sheet.kind,
        timezone=case.timezone,
        staged_by=case.by,
        staged_at=case.now,
    )


def _judge(staged: Import, sheet: _Sheet[R], verdict: Verdict) -> None:
    """Write down the verdict: counts, samples, errors, and the file of what was rejected."""
    refused = [
        sheets.reject(sheet.layout, sheet.numbers[place], sheet.cells[place], reasons)
        for place, reasons in verdict.objections.items()
    ]
    rejected = sorted([*sheet.rejected, *refused], key=lambda row: row.number)
    good = [place for place in range(len(sheet.rows)) if place not in verdict.objections]
    counts = Counter(verdict.effects[place] for place in good)
    staged.creates, staged.updates, staged.skips = (counts[effect] for effect in Effect)
    staged.rejects = len(rejected)
    staged.errors = _errors(rejected)
    staged.samples = _samples(sheet, verdict, good)
    staged.reject_file = write_rejected(sheet.kind, sheet.layout, rejected) if rejected else None


def _errors(rejected: list[RejectedRow]) -> list[dict[str, Any]]:
    """Describe the first errors, by row and cell."""
    told: list[dict[str, Any]] = []
    for row in rejected[:MOST_ERRORS_SHOWN]:
        for error in row.errors:
            facts = {"row": row.number} | asdict(error)
            facts["fix_zh"], facts["fix_en"] = facts.pop("fix")
            told.append({name: _storable(value) for name, value in facts.items()})
    return told[:MOST_ERRORS_SHOWN]


def _storable(value: object) -> object:
    """Replace what PostgreSQL's JSON cannot hold."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value


def _samples(sheet: _Sheet[R], verdict: Verdict, good: list[int]) -> dict[str, list[dict[str, Any]]]:
    """Show the first rows of each effect, with what those would replace."""
    samples: dict[str, list[dict[str, Any]]] = {effect: [] for effect in Effect}
    for place in good:
        some = samples[verdict.effects[place]]
        if len(some) < MOST_SAMPLES:
            some.append({
                "row": sheet.numbers[place],
                "values": _values(sheet.rows[place]),
                "before": dict(verdict.before.get(place, {})),
            })  # fmt: skip
    return samples


def _values(row: Any) -> dict[str, Any]:  # noqa: ANN401  A NamedTuple of the kind's own.
    return {name: shown(value) for name, value in row._asdict().items()}


def _lines(sheet: _Sheet[R], verdict: Verdict) -> Iterator[Line]:
    for place, row in enumerate(sheet.rows):
        if place not in verdict.objections:
            before = verdict.before.get(place)
            yield Line(sheet.numbers[place], verdict.effects[place], dict(before) if before else None, row)
