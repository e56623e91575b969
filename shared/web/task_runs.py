"""What operators see of a service's work: each run, how often it was tried, and how it went."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.auth.callers import Caller
from shared.bus import tables
from shared.bus.tasks.listing import find_run, runs_of
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound, Title
from shared.web.doors import Tx, may
from shared.web.fields import Count, Shown, WholeText
from shared.web.lists import Answer, Asked, Listed
from shared.web.refusals import refuses
from shared.web.routes import Router

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


RUNS = KeysetList(
    key=(tables.TaskRun.id,),
    sorts={
        "queued_at": Sort(tables.TaskRun.queued_at),
        "finished_at": Sort(tables.TaskRun.finished_at, null_as="'infinity'::timestamptz"),  # Open ones come last.
    },
    filters={
        "state": equal(tables.TaskRun.state, "In this state.", takes=State),
        "task": equal(tables.TaskRun.task, "Of this task, as `notify.deliver_message`."),
        "queued_from": since(tables.TaskRun.queued_at, "Queued at this instant or later."),
        "queued_until": until(tables.TaskRun.queued_at, "Queued before this instant."),
    },
    default_sort="-id",
)
TASK_RUNS = Listed(
    RUNS,
    TaskRun,
    file="task-runs",
    title=Title(zh="任务运行", en="Task runs"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "task": Title(zh="任务", en="Task"),
        "key": Title(zh="键", en="Key"),
        "state": Title(zh="状态", en="State"),
        "attempts": Title(zh="尝试次数", en="Attempts"),
        "queued_at": Title(zh="入队时间", en="Queued at"),
        "next_try_at": Title(zh="下次尝试", en="Next try at"),
        "started_at": Title(zh="开始时间", en="Started at"),
        "finished_at": Title(zh="完成时间", en="Finished at"),
        "error": Title(zh="错误", en="Error"),
        "progress_done": Title(zh="已完成", en="Done"),
        "progress_total": Title(zh="总量", en="Of"),
    },
)


router = Router(prefix="/task-runs", tags=["operations"])


@router.get("", operation_id="list_task_runs", response_model=TASK_RUNS.page, responses=TASK_RUNS.responses)
def list_task_runs(caller: Operator, asked: Annotated[Asked, Depends(TASK_RUNS.asked)], tx: Tx) -> Answer:
    """List the newest runs of the programme, and those that do not say whose they are."""
    return TASK_RUNS.answer(asked, tx, caller, runs_of(caller.programme_id))


@router.get("/{run_id}", operation_id="show_task_run")
@refuses(NotFound)
def show_task_run(run_id: UUID, caller: Operator, tx: Tx) -> WholeTaskRun:
    """Show one run. Raises NotFound."""
    row = find_run(tx, run_id, programme_id=caller.programme_id)
    if row is None:
        raise NotFound(task_run_id=str(run_id))
    return WholeTaskRun.model_validate(row)
