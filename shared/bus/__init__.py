"""The bus: facts leave a service with `emit` and reach another with `on`; work is asked for with `task`.

    bus.emit(tx, AttendanceSettled(...))
    bus.emit(tx, CheckInDue(...), at=when, key="check-in:42")   # later; the same key replaces it
    bus.cancel(tx, "check-in:42")

    @bus.on(AttendanceSettled, batch=200)
    def accrue_donations(tx: Session, events: Sequence[AttendanceSettled]) -> None: ...

    bus.task(tx, deliver_message, delivery.id)

    @bus.work(deliver_message, max_retries=5, time_limit_ms=20_000, backoff_seconds=2)
    def deliver_message(job: bus.Job, delivery_id: UUID) -> None: ...

    @bus.every("0 9 * * MON", tz="Asia/Shanghai", missed=bus.Missed.ONCE, max_retries=5, time_limit_ms=20_000)
    def open_rounds(tx: Session, due_at: datetime) -> None: ...

Between emit and on: outbox → relay → broker → inbox. Nothing is lost between commit and effect, nothing takes effect
twice. Between task and work: a row of `task_run`, and a wake-up on the same way.

    outbox relay archive             what leaves
    handlers consumer inbox          what arrives: marks (each once), parking (in order), suspects (what kills)
    burial dead_letters upkeep       what failed, and how it comes back
    tasks timers                     work, and work by the calendar
    envelope topology transport      how it travels: RabbitMQ, or tables of PostgreSQL
    testing                          all of that in one thread, with brokers that misbehave
"""

from shared.bus.handlers import Handler, Subscriptions, on
from shared.bus.outbox import cancel, emit, emit_all
from shared.bus.tasks.job import Job
from shared.bus.tasks.queueing import Task, task, task_all
from shared.bus.tasks.work import Work, work
from shared.bus.timers import Missed, Timer, every

__all__ = [
    "Handler", "Job", "Missed", "Subscriptions", "Task", "Timer", "Work", "cancel", "emit", "emit_all", "every", "on",
    "task", "task_all", "work",
]  # fmt: skip
