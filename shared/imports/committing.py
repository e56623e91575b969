"""The commit: somebody orders it, a worker brings the rows in, all of them in one transaction or none."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from shared import audit, bus, telemetry
from shared.bus import Job, Task
from shared.errors import Refusal
from shared.imports import queries
from shared.imports.judging import Case, Effect
from shared.imports.kinds import Accepted, ImportKind, Tell
from shared.imports.packing import unpack
from shared.imports.queries import Scope
from shared.imports.refusals import ImportExpired, ImportFailed, ImportHasRejects, ImportOutdated
from shared.imports.tables import Import, ImportRows
from shared.privacy.locks import lock_against_erasure

COMMIT_MS: Final = 900_000  # A quarter of an hour for the largest sheet on a slow machine.
_PATIENCE = text("""
    SELECT set_config('statement_timeout', '10min', true),
        set_config('idle_in_transaction_session_timeout', '10min', true)
""")
_TOLD_PARTS: Final = 50  # Progress is written when a fiftieth more is done.

Kinds = Mapping[str, ImportKind[Any, Any]]
log = telemetry.get_logger()


def order(
    tx: Session, task: Task, scope: Scope, import_id: UUID, *, skip_rejected: bool, by: UUID
) -> None:  # fmt: skip
    """Have the good rows of a staged import brought in; ordering it again changes nothing.

    Raises NotFound, ImportHasRejects, ImportFailed, ImportExpired.
    """
    if _require_open(queries.get_standing(tx, scope, import_id).row):
        staged = queries.lock_import(tx, scope, import_id)
        if not _require_open(staged):
            return  # Another order came first.
        if staged.rejects and not skip_rejected:
            raise ImportHasRejects(rejected=staged.rejects)
        run_id = bus.task(tx, task, import_id, programme_id=scope.programme_id)  # Once: the lock is held.
        staged.state, staged.committed_by, staged.run_id = "committing", by, run_id
        tx.flush()


def _require_open(row: Import) -> bool:
    """Say whether an import still waits for its order. Raises ImportFailed, ImportExpired."""
    if row.state == "failed":
        raise ImportFailed(import_id=row.id, reason=(row.failure or {}).get("code"))
    if row.state == "expired":
        raise ImportExpired(import_id=row.id)
    return row.state == "staged"


def commit(job: Job, kinds: Kinds, import_id: UUID) -> None:
    """Bring a sheet in. Its effect, its result and the end of its run are one transaction.

    A refusal is no fault: the import then says why it failed, and the run is done. Anything else is tried again.
    """
    try:
        with job.transaction() as tx:
            bring_in(tx, kinds, import_id, now=job.now(), tell=job.progress)
            job.finish(tx)
    except Refusal as refusal:
        with job.transaction() as tx:
            fail(tx, import_id, refusal)
            job.finish(tx)


def bring_in(
    tx: Session, kinds: Kinds, import_id: UUID, *, now: datetime, tell: Callable[[int, int], None]
) -> None:  # fmt: skip
    """Judge the staged rows once more and bring them in; nothing if that was done, or the import is gone.

    Raises ImportOutdated if a row is not good any more or does something else than the preview showed.
    """
    tx.execute(_PATIENCE)
    programme_id = queries.find_programme(tx, import_id)
    if programme_id is None:
        return
    lock_against_erasure(tx, programme_id=programme_id)  # Before the import's row, as an erasure does.
    row = queries.lock_committing(tx, import_id)
    if row is None or row.committed_by is None:
        return
    kind = kinds[row.kind]
    case = Case(row.programme_id, row.id, row.timezone or "UTC", row.committed_by, now)
    packed = unpack(tx, row.id, kind)
    kind.lock(tx, case, packed.rows)
    facts, verdict = kind.judged(tx, case, packed.rows)
    if changed := packed.changed(verdict):
        raise ImportOutdated(rows=len(changed))
    with audit.carried_out(tx, _call(row, now)):
        late = kind.bring(tx, case, Accepted(packed.rows, facts, verdict), _steps(len(packed.rows), tell))
    counts = Counter(verdict.effects)
    row.created, row.updated = counts[Effect.CREATE] - late, counts[Effect.UPDATE]
    row.skipped = counts[Effect.SKIP] + late
    row.state, row.committed_at = "committed", now
    tx.execute(delete(ImportRows).where(ImportRows.import_id == row.id))
    tx.flush()
    log.info("import.committed", kind=row.kind, import_id=str(row.id), created=row.created, updated=row.updated)


def _call(row: Import, now: datetime) -> audit.Call:
    """Say for the trail whose doing it is: theirs who ordered it."""
    who = audit.Who(row.programme_id, row.committed_by or row.staged_by, ())
    return audit.Call(who, "bring_in_import", now, ("sheet_import", str(row.id)))


def fail(tx: Session, import_id: UUID, refusal: Refusal) -> None:
    """Say why an import was not brought in; its staged rows are of no more use."""
    row = queries.lock_committing(tx, import_id)
    if row is not None:
        facts = {name: str(value) for name, value in refusal.facts.items()}
        row.failure = {"code": refusal.code, "zh": refusal.title.zh, "en": refusal.title.en, "facts": facts}
        row.state = "failed"
        tx.execute(delete(ImportRows).where(ImportRows.import_id == import_id))
        tx.flush()
        log.info("import.failed", kind=row.kind, import_id=str(import_id), code=refusal.code)


def _steps(total: int, tell: Callable[[int, int], None]) -> Tell:
    """Tell progress in steps, for each is a transaction of its own."""
    told = 0

    def step(done: int) -> None:
        nonlocal told
        if done - told >= max(total // _TOLD_PARTS, 1):
            told = done
            tell(done, total)

    tell(0, total)
    return step
