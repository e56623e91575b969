"""The bus's own tables, in each service's database.

What leaves: `outbox`, `event_archive`. What arrives: `inbox`, `suspect`. What failed: `dead_letter`, `parked_letter`,
`replay`, `replay_letter`. Work: `task_run`, `schedule`.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.database.base import COLUMN_TYPES, NAMES

metadata = MetaData(naming_convention=NAMES)


class Base(DeclarativeBase):
    """The base of the bus's rows; they stand in every service's database beside its own."""

    metadata = metadata
    type_annotation_map = COLUMN_TYPES


class Outbox(Base):
    """What was decided and is not yet known to the broker; the relay deletes it on the broker's confirm.

    A row with `due_at` waits for that instant of the programme's clock, one with `next_try_at` for the server's.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("lane IN ('event', 'task')", name="lane"),
        CheckConstraint("timer_key IS NULL OR due_at IS NOT NULL", name="timer_key"),
        Index("outbox_ready_idx", "lane", "position", postgresql_where=text("due_at IS NULL AND next_try_at IS NULL")),
        Index("outbox_due_at_idx", "lane", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("outbox_next_try_at_idx", "lane", "next_try_at", postgresql_where=text("next_try_at IS NOT NULL")),
        Index("outbox_task_idx", "partition_key", postgresql_where=text("lane = 'task'")),
        Index("outbox_timer_key_key", "timer_key", unique=True, postgresql_where=text("timer_key IS NOT NULL")),
    )

    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    lane: Mapped[str] = mapped_column(server_default="event")
    event_id: Mapped[UUID] = mapped_column(unique=True)
    type: Mapped[str]
    programme_id: Mapped[UUID | None]
    partition_key: Mapped[str]
    emitted_at: Mapped[datetime]
    traceparent: Mapped[str]
    body: Mapped[str]
    due_at: Mapped[datetime | None]
    timer_key: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_try_at: Mapped[datetime | None]


class EventArchive(Base):
    """An event that was told, kept by the service that told it; partitioned by month."""

    __tablename__ = "event_archive"
    __table_args__ = (PrimaryKeyConstraint("emitted_at", "event_id"),)

    emitted_at: Mapped[datetime]
    event_id: Mapped[UUID]
    type: Mapped[str]
    programme_id: Mapped[UUID]
    partition_key: Mapped[str]
    traceparent: Mapped[str]
    body: Mapped[str]


class Inbox(Base):
    """An event that a handler has taken; written in the transaction of its effect, so that a repeat has none.

    Handlers that keep their facts have them here for good.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        PrimaryKeyConstraint("event_id", "handler"),
        CheckConstraint("(type IS NULL) = (body IS NULL)", name="kept"),
        Index("inbox_received_at_idx", "handler", "received_at"),
    )

    event_id: Mapped[UUID]
    handler: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    type: Mapped[str | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


class Suspect(Base):
    """A letter that was in hand when a process ended, and how often it was tried alone since."""

    __tablename__ = "suspect"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    tries: Mapped[int] = mapped_column(Integer)
    tried_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DeadLetter(Base):
    """A letter that could not be handled, kept whole with the reason."""

    __tablename__ = "dead_letter"
    __table_args__ = (
        UniqueConstraint("fingerprint"),
        CheckConstraint("state IN ('dead', 'replayed', 'discarded')", name="state"),
        CheckConstraint("(state = 'dead') = (closed_at IS NULL)", name="closed"),
        Index("dead_letter_cause_idx", "cause", postgresql_where=text("state = 'dead'")),
        Index("dead_letter_closed_idx", "closed_at", postgresql_where=text("state <> 'dead'")),
        Index("dead_letter_event_id_idx", "event_id"),
        Index("dead_letter_died_at_id_idx", "died_at", "id"),
        Index("dead_letter_blocking_idx", "handler", "partition_key", postgresql_where=text("state = 'dead'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    origin: Mapped[str]
    handler: Mapped[str | None]
    programme_id: Mapped[UUID | None]
    event_id: Mapped[UUID | None]
    type: Mapped[str | None]
    partition_key: Mapped[str | None]
    headers: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str]
    exception: Mapped[str | None]
    error: Mapped[str]
    stack: Mapped[str | None]
    cause: Mapped[str]
    trace_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(Integer)
    died_at: Mapped[datetime] = mapped_column(server_default=func.now())
    state: Mapped[str] = mapped_column(server_default="dead")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closed_why: Mapped[str | None]


class ParkedLetter(Base):
    """A letter that waits behind a dead one of the same key, for a handler that wants its letters in order."""

    __tablename__ = "parked_letter"
    __table_args__ = (
        UniqueConstraint("handler", "event_id"),
        Index("parked_letter_order_idx", "handler", "partition_key", "position"),
    )

    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    handler: Mapped[str]
    partition_key: Mapped[str]
    event_id: Mapped[UUID]
    headers: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    parked_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Replay(Base):
    """Somebody's order to try a frozen set of dead letters again."""

    __tablename__ = "replay"
    __table_args__ = (
        CheckConstraint("letters_per_second > 0", name="rate"),
        Index("replay_programme_id_id_idx", "programme_id", "id"),
        Index("replay_programme_id_requested_at_id_idx", "programme_id", "requested_at", "id"),
        Index("replay_open_idx", "requested_at", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    requested_by: Mapped[UUID]
    why: Mapped[str]
    selection: Mapped[str]
    letters_per_second: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]


class ReplayLetter(Base):
    """One letter of a replay, and what became of it."""

    __tablename__ = "replay_letter"
    __table_args__ = (
        PrimaryKeyConstraint("replay_id", "dead_letter_id"),
        CheckConstraint("outcome IN ('replayed', 'failed', 'skipped')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (tried_at IS NULL)", name="tried"),
        Index("replay_letter_dead_letter_id_idx", "dead_letter_id"),
        Index("replay_letter_open_idx", "replay_id", "dead_letter_id", postgresql_where=text("outcome IS NULL")),
    )

    replay_id: Mapped[UUID] = mapped_column(ForeignKey(Replay.id))
    dead_letter_id: Mapped[UUID] = mapped_column(ForeignKey(DeadLetter.id))
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    outcome: Mapped[str | None]
    error: Mapped[str | None]
    tried_at: Mapped[datetime | None]


class TaskRun(Base):
    """One piece of work: what is to be done, how often it was tried, and how it went.

    A run is `queued` until a worker leases it, and again between two tries. Its times are the server's; `woken_at` is
    when its last wake-up left the outbox, NULL as long as that stands there.
    """

    __tablename__ = "task_run"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
        CheckConstraint("(state = 'running') = (lease IS NOT NULL)", name="lease"),
        CheckConstraint("(lease IS NULL) = (lease_until IS NULL)", name="lease_until"),
        CheckConstraint("(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="finished"),
        Index("task_run_task_key_key", "task", "key", unique=True, postgresql_where=text("key IS NOT NULL")),
        Index("task_run_open_idx", "state", "woken_at", postgresql_where=text("state IN ('queued', 'running')")),
        Index("task_run_failed_idx", "finished_at", postgresql_where=text("state = 'failed'")),
        Index("task_run_queued_at_id_idx", "queued_at", "id"),
        Index("task_run_finished_at_id_idx", text("coalesce(finished_at, 'infinity'::timestamptz)"), "id"),
        Index("task_run_done_idx", "finished_at", postgresql_where=text("state = 'done'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    task: Mapped[str]
    key: Mapped[str | None]
    arguments: Mapped[str]
    programme_id: Mapped[UUID | None]
    traceparent: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    next_try_at: Mapped[datetime | None]
    wakes: Mapped[int] = mapped_column(Integer, server_default="1")
    woken_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    stack: Mapped[str | None]
    progress_done: Mapped[int | None]
    progress_total: Mapped[int | None]


class Schedule(Base):
    """A recurring job and when it is due next; whoever claims that arms the one after."""

    __tablename__ = "schedule"
    __table_args__ = (CheckConstraint("missed IN ('once', 'each')", name="missed"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    cron: Mapped[str]
    zone: Mapped[str]
    missed: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(index=True)
    last_due_at: Mapped[datetime | None]
