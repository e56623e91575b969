"""dramatiq's workers for one service; several services may have theirs in one process, so no broker is global."""

from collections.abc import Callable, Sequence
from queue import Queue
from threading import Event as Flag
from threading import Thread
from typing import TypeAlias
from uuid import UUID

from dramatiq import Actor, Broker, Message, Worker
from dramatiq.brokers.stub import StubBroker

from shared.bus.tasks.running import Runner
from shared.bus.tasks.wake_ups import ACTOR, queue_of
from shared.bus.transport import Blocked, Letter, Outcome

WakeUpBroker: TypeAlias = Broker  # dramatiq's, of either kind.

# Within the 30 s after which a container is killed: functions, then dramatiq's threads, then ours (launch/workers.py).
FINISH_SECONDS = 20.0
STOP_SECONDS = 25.0
_POLL_MS = 500  # An idle thread of dramatiq's looks this often whether it should end.
_LOOK_SECONDS = 1.0
MOST_HELD = 10_000  # Wake-ups in memory; the others wait in the outbox. One batch may come on top.


class WorkerDied(Exception):
    """A thread of dramatiq's or of ours has ended before its time; the process must be started anew."""


class LocalBroker(StubBroker):
    """dramatiq's broker in memory, of one process. What it holds dies with it, and is woken again from the rows."""

    def __init__(self) -> None:
        """Hold nothing. No middleware: no guard of ours lives in one."""
        super().__init__(middleware=[])

    def declare_queue(self, queue_name: str) -> None:
        """Make a queue; none for delays, which are rows."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.setdefault(queue_name, Queue())  # The relay may be declaring it at the same time.
            self.emit_after("declare_queue", queue_name)


class LocalTasks:
    """Publishes wake-ups into a broker in memory."""

    def __init__(self, broker: LocalBroker) -> None:
        """Publish into `broker`, whose workers run in this process."""
        self._broker = broker

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Hand the letters over; workers that begin later find them. Raises Blocked when too many wait already."""
        held = sum(queue.qsize() for queue in list(self._broker.queues.values()))
        if held >= MOST_HELD:
            raise Blocked(f"{held} wake-ups wait in memory")
        for letter in letters:
            self._broker.declare_queue(letter.routing_key)
            self._broker.enqueue(Message.decode(letter.body))
        return dict.fromkeys((letter.id for letter in letters), Outcome.CONFIRMED)


class Workers:
    """The threads that do one service's runs."""

    def __init__(
        self, broker: Broker, runner: Runner, *, service: str, threads: int, finish_seconds: float = FINISH_SECONDS
    ) -> None:
        """Take wake-ups from `broker`, which is closed at the end; what runs then is stopped after `finish_seconds`."""
        self._broker = broker
        self._runner = runner
        self._finish_seconds = finish_seconds
        queue = queue_of(service)
        Actor(_running(runner), broker=broker, actor_name=ACTOR, queue_name=queue, priority=0, options={})
        self._worker = Worker(broker, queues={queue}, worker_timeout=_POLL_MS, worker_threads=threads)

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set, then end within STOP_SECONDS. Raises WorkerDied."""
        over = Flag()
        watchers = [Thread(target=watch, args=(over,), daemon=True) for watch in self._watches()]
        for watcher in watchers:
            watcher.start()
        self._worker.start()
        try:
            while not stop.wait(_LOOK_SECONDS):
                self._require_alive(watchers)
        finally:
            self._runner.stop(seconds=self._finish_seconds)
            self._worker.stop(timeout=int(STOP_SECONDS * 1000))
            over.set()
            for watcher in watchers:
                watcher.join()
            self._broker.close()

    def _watches(self) -> Sequence[Callable[[Flag], None]]:
        return self._runner.limits.run, self._runner.leases.run

    def _require_alive(self, watchers: Sequence[Thread]) -> None:
        threads = [*watchers, *self._worker.workers, *self._worker.consumers.values()]
        if not all(thread.is_alive() for thread in threads):
            raise WorkerDied


def _running(runner: Runner) -> Callable[[str], None]:
    def run(run_id: str) -> None:
        runner.run(UUID(run_id))

    return run
