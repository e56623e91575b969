"""What operators see of a service's work: each run, how often it was tried, and how it went."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.auth.callers import Caller
from shared.bus.tasks.listing import find_run, list_runs
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.fields import Count, Items, Limit, Shown, WholeText
from shared.web.refusals import refuses

Operator = Annotated[Caller, Depends(may("events.operate"))]
State = Literal["queued", "running", "done", "failed"]


class TaskRun(BaseModel):
    """One run, without its arguments."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    task: Shown
    key: Shown | None
    state: State
    attempts: Count
    queued_at: AwareDatetime
    next_try_at: AwareDatetime | None
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    error: Shown | None
    progress_done: Count | None
    progress_total: Count | None


class WholeTaskRun(TaskRun):
    """One run with what it was asked to do, and the stack of its last failure."""

    programme_id: UUID | None
    arguments: WholeText
    traceparent: Shown
    stack: WholeText | None


class TaskRuns(BaseModel):
    """The newest runs; `next` is where the older ones go on."""

    items: Items[TaskRun]
    next: UUID | None


router = APIRouter(prefix="/task-runs", tags=["operations"])


@router.get("", operation_id="list_task_runs")
def list_task_runs(
    caller: Operator,
    tx: Tx,
    state: State | None = None,
    after: UUID | None = None,
    limit: Limit = 50,
) -> TaskRuns:
    """List the newest runs of the programme, and those that do not say whose they are."""
    rows = list_runs(tx, programme_id=caller.programme_id, state=state, after=after, limit=limit)
    items = [TaskRun.model_validate(row) for row in rows]
    return TaskRuns(items=items, next=rows[-1].id if len(rows) == limit else None)


@router.get("/{run_id}", operation_id="show_task_run")
@refuses(NotFound)
def show_task_run(run_id: UUID, caller: Operator, tx: Tx) -> WholeTaskRun:
    """Show one run. Raises NotFound."""
    row = find_run(tx, run_id, programme_id=caller.programme_id)
    if row is None:
        raise NotFound(task_run_id=str(run_id))
    return WholeTaskRun.model_validate(row)
