"""Runs over dramatiq, in memory and over RabbitMQ: from the transaction that asks to the work that is done."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from dramatiq import Message
from dramatiq.errors import BrokerConnectionError

from shared import bus
from shared.bus.tasks.limits import Limits, Stopped
from shared.bus.tasks.rabbit import QuorumBroker
from shared.bus.tasks.running import Runner
from shared.bus.tasks.sweeping import Sweeper
from shared.bus.tasks.wake_ups import ACTOR, keep_rejected
from shared.bus.tasks.workers import MOST_HELD, LocalBroker, LocalTasks, WorkerDied, Workers
from shared.bus.transport import Blocked, Delivery, Letter, Outcome
from shared.database.sessions import Database
from shared.ids import new_id
from tests.servers.rabbitmq import Broker
from tests.shared.bus.running import Owner, running
from tests.shared.bus.tasks.places import SERVICE, Place, local_place, queues_of, rabbit_place, tasks_vhost
from tests.shared.bus.tasks.probing import (
    SEND,
    Broken,
    Unwanted,
    ask,
    doing,
    graves,
    mails,
    run_of,
    send,
    states,
)
from tests.shared.bus.tasks.pumping import Pump
from tests.waiting import until


@pytest.fixture
def url(rabbitmq: Broker) -> Iterator[str]:
    with tasks_vhost(rabbitmq) as found:
        yield found


@pytest.fixture(params=[pytest.param("rabbit", marks=pytest.mark.rabbitmq), "local"])
def place(request: pytest.FixtureRequest) -> Place:
    return rabbit_place(request.getfixturevalue("url")) if request.param == "rabbit" else local_place()


def workers(place: Place, database: Database, work: bus.Work, *, finish_seconds: float = 20) -> Workers:
    runner = Runner(database, [work])
    return Workers(place.connect(), runner, service=SERVICE, threads=3, finish_seconds=finish_seconds)


def test_what_is_asked_for_is_done_once(place: Place, working: Database, owner: Owner) -> None:
    """Hundreds at once, by several threads."""
    letters = [uuid4() for _ in range(300)]
    with working.transaction() as tx:
        bus.task_all(tx, SEND, [[letter] for letter in letters])

    with running(workers(place, working, doing()).run, Pump(working, place.publisher, service=SERVICE).run):
        until(lambda: states(owner) == {"done": 300}, timeout=60, missing="300 runs that are done")

    assert sorted(mails(owner)) == sorted(letters)
    assert owner.count("outbox") == 0


def test_failures_are_tried_again_and_refusals_are_not(place: Place, working: Database, owner: Owner) -> None:
    """Over the outbox and the broker, as the first time."""
    refused = uuid4()

    def try_thrice(job: bus.Job, letter_id: UUID) -> None:
        send(job, letter_id)
        if letter_id == refused:
            raise Unwanted
        if job.attempt < 3:
            raise Broken

    ask(working, refused)
    tried = ask(working, uuid4())

    with running(workers(place, working, doing(try_thrice)).run, Pump(working, place.publisher, service=SERVICE).run):
        until(lambda: states(owner) == {"done": 1, "failed": 1}, timeout=60, missing="both ends")

    assert run_of(owner, tried).attempts == 3
    assert len(mails(owner)) == 4
    assert graves(owner) == [("refused", "probe.send_letter", 1)]


def test_two_workers_share_one_queue(place: Place, working: Database, owner: Owner) -> None:
    """And do nothing twice."""
    with working.transaction() as tx:
        bus.task_all(tx, SEND, [[uuid4()] for _ in range(100)])
    if isinstance(place.connect(), LocalBroker):  # A broker in memory has one worker process.
        both = [workers(place, working, doing())]
    else:
        both = [workers(place, working, doing()) for _ in range(2)]

    with running(*(each.run for each in both), Pump(working, place.publisher, service=SERVICE).run):
        until(lambda: states(owner) == {"done": 100}, timeout=60, missing="100 runs that are done")

    assert len({*mails(owner)}) == len(mails(owner)) == 100


def test_what_runs_when_told_to_stop_is_finished(place: Place, working: Database, owner: Owner) -> None:
    """F21: the run in hand ends, those behind it stay queued, and the worker is gone in seconds."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(job: bus.Job, letter_id: UUID) -> None:
        begun.set()
        assert go_on.wait(20)
        send(job, letter_id)

    with working.transaction() as tx:
        bus.task_all(tx, SEND, [[uuid4()] for _ in range(20)])
    runner, pump = Runner(working, [doing(wait)]), Pump(working, place.publisher, service=SERVICE)
    worker = Workers(place.connect(), runner, service=SERVICE, threads=3)

    with running(worker.run, pump.run) as stop:
        assert begun.wait(20)
        stop.set()
        assert runner.stopping.wait(20)
        go_on.set()

    found = states(owner)
    assert found.get("running", 0) == 0
    assert 1 <= found["done"] == len(mails(owner)) <= 3
    assert sum(found.values()) == 20


def test_what_would_take_too_long_is_put_back(place: Place, working: Database, owner: Owner) -> None:
    """Another worker does it at once; the try does not count."""
    begun, stopped = threading.Event(), threading.Event()

    def spin(_job: bus.Job, _letter_id: UUID) -> None:
        begun.set()
        never = threading.Event()
        try:
            while not never.wait(0.01):
                pass
        except Stopped:
            stopped.set()
            raise

    letter = uuid4()
    run_id = ask(working, letter)
    pump = Pump(working, place.publisher, service=SERVICE)
    with running(workers(place, working, doing(spin, time_limit_ms=600_000), finish_seconds=0.2).run, pump.run):
        assert begun.wait(20)
    assert stopped.is_set()
    assert (run_of(owner, run_id).state, run_of(owner, run_id).attempts) == ("queued", 0)

    again = place if not isinstance(place.connect(), LocalBroker) else local_place()
    with running(workers(again, working, doing()).run, Pump(working, again.publisher, service=SERVICE).run):
        until(lambda: states(owner) == {"done": 1}, timeout=60, missing="the run that was put back")
    assert mails(owner) == [letter]


def test_a_broker_in_memory_that_is_lost_loses_nothing(working: Database, owner: Owner) -> None:
    """The process ends with wake-ups in it; the next one begins anew."""
    lost, place, sweeper = local_place(), local_place(), Sweeper(working)
    with working.transaction() as tx:
        bus.task_all(tx, SEND, [[uuid4()] for _ in range(50)])
    assert Pump(working, lost.publisher, service=SERVICE).pump() == 50
    assert owner.count("outbox") == 0

    sweeper.begin_anew()
    pump = Pump(working, place.publisher, service=SERVICE)
    with running(workers(place, working, doing()).run, sweeper.run, pump.run):
        until(lambda: states(owner) == {"done": 50}, timeout=60, missing="50 runs that are done")

    assert len(mails(owner)) == 50


def test_a_thread_that_dies_ends_the_process(working: Database) -> None:
    """A worker that looks alive and does nothing would be noticed by nobody."""

    class Hole(LocalBroker):
        """A broker whose consumers end at once."""

        def consume(self, *_arguments: Any, **_named: Any) -> Any:
            threading.current_thread().running = False  # type: ignore[attr-defined]  # dramatiq's thread has it.
            raise BrokerConnectionError("none")  # type: ignore[no-untyped-call]  # dramatiq has types in part.

    worker = Workers(Hole(), Runner(working, [doing()]), service=SERVICE, threads=1)
    with pytest.raises(WorkerDied):
        worker.run(threading.Event())


def test_a_broker_in_memory_takes_no_more_than_it_can_hold() -> None:
    """A million that are due at once wait in the outbox, where they cost no memory."""
    broker = LocalBroker()
    publisher = LocalTasks(broker)
    full = [_wake_up() for _ in range(MOST_HELD)]

    assert set(publisher.publish(full).values()) == {Outcome.CONFIRMED}
    with pytest.raises(Blocked):
        publisher.publish([_wake_up()])
    assert broker.queues[SERVICE].qsize() == MOST_HELD

    broker.queues[SERVICE].get()
    assert len(publisher.publish([_wake_up()])) == 1


@pytest.mark.parametrize("watch", ["limits", "leases"])
def test_a_watch_that_ends_ends_the_process(working: Database, watch: str) -> None:
    """Without it nothing is ever interrupted, or whatever takes long is done twice."""

    class Asleep(Limits):
        """A watch that is over at once."""

        def run(self, stop: threading.Event) -> None:
            """End."""

    runner = Runner(working, [doing()])
    setattr(runner, watch, Asleep())
    with pytest.raises(WorkerDied):
        Workers(LocalBroker(), runner, service=SERVICE, threads=1).run(threading.Event())


def test_the_queue_is_a_quorum_with_a_dead_one_beside_it(rabbitmq: Broker, url: str, working: Database) -> None:
    """And no third one for delays; its dead letters have no time to live (PITFALLS D3 to D5)."""
    with running(workers(rabbit_place(url), working, doing()).run):
        until(lambda: "probe" in queues_of(rabbitmq, url), timeout=30, missing="the queue")
        until(lambda: "probe.XQ" in queues_of(rabbitmq, url), timeout=30, missing="the dead queue")
        found = queues_of(rabbitmq, url)

    assert {name: queue["type"] for name, queue in found.items()} == {"probe": "quorum", "probe.XQ": "quorum"}
    assert found["probe.XQ"]["arguments"] == {"x-queue-type": "quorum"}
    assert found["probe"]["arguments"]["x-dead-letter-routing-key"] == "probe.XQ"
    assert found["probe"]["arguments"]["x-delivery-limit"] == 20


def test_a_wake_up_without_a_queue_is_refused_not_lost(url: str, working: Database, owner: Owner) -> None:
    """Before the first worker there is none; dramatiq's own default would drop it (PITFALLS D2)."""
    ask(working, uuid4())
    pump = Pump(working, rabbit_place(url).publisher, service=SERVICE)

    assert pump.pump() == 0
    assert owner.count("outbox") == 1
    assert QuorumBroker(url).confirm_delivery


def test_a_worker_holds_one_connection(rabbitmq: Broker, url: str, working: Database) -> None:
    """Not one for each thread that ever declared something (PITFALLS D6)."""
    vhost = url.rsplit("/", 1)[1]

    def connections() -> int:
        answer = httpx2.get(f"{rabbitmq.management_url}/api/connections", timeout=30, trust_env=False).json()
        return len([one for one in answer if one.get("vhost") == vhost and one.get("state") == "running"])

    with running(workers(rabbit_place(url), working, doing()).run):
        until(lambda: connections() == 1, timeout=30, missing="one connection")


def test_what_dramatiq_rejects_is_kept_unless_it_is_a_wake_up(
    rabbitmq: Broker, url: str, working: Database, owner: Owner
) -> None:
    """A broken body is a dead letter; a wake-up for an actor of another release is nothing, its run is swept (D5)."""
    place = rabbit_place(url)
    run_id = ask(working, uuid4())
    (wake_up,) = _wake_ups(working)
    foreign = Letter(new_id(), SERVICE, {}, wake_up.body.replace(b'"actor_name":"run"', b'"actor_name":"walk"'))
    broken = Letter(new_id(), SERVICE, {}, b"\xff{")
    assert b"walk" in foreign.body

    with running(workers(place, working, doing()).run):
        until(
            lambda: set(place.publisher.publish([foreign, broken]).values()) == {Outcome.CONFIRMED},
            timeout=30,
            missing="a queue that takes letters",
        )
        until(lambda: queues_of(rabbitmq, url)["probe.XQ"].get("messages", 0) >= 2, timeout=30, missing="two rejects")

    with working.transaction() as tx:
        for letter in (foreign, broken):
            keep_rejected(tx, Delivery(letter.headers, letter.body, "probe.XQ", redelivered=False, receipt=None))
    assert graves(owner) == [("broken_body", None, 1)]
    owner.execute("DELETE FROM outbox")
    owner.execute("UPDATE task_run SET woken_at = now() - interval '2 min'")
    assert Sweeper(working).sweep() == 1
    Runner(working, [doing()]).run(run_id)
    assert states(owner) == {"done": 1}


def test_a_worker_whose_connection_is_cut_goes_on(rabbitmq: Broker, url: str, working: Database, owner: Owner) -> None:
    """It connects anew; a run whose wake-up it could not acknowledge is not done twice."""
    vhost, place = url.rsplit("/", 1)[1], rabbit_place(url)
    with running(workers(place, working, doing()).run, Pump(working, place.publisher, service=SERVICE).run):
        ask(working, uuid4())
        until(lambda: states(owner) == {"done": 1}, timeout=60, missing="a first run")
        cut(rabbitmq, vhost)
        ask(working, uuid4())
        until(lambda: states(owner) == {"done": 2}, timeout=60, missing="a second run")

    assert len(mails(owner)) == 2


def cut(rabbitmq: Broker, vhost: str) -> None:
    """End every connection to a vhost, as soon as the management API knows of one."""
    with httpx2.Client(base_url=rabbitmq.management_url, timeout=30, trust_env=False) as client:

        def ended() -> bool:
            found = [one["name"] for one in client.get("/api/connections").json() if one.get("vhost") == vhost]
            for name in found:
                client.delete(f"/api/connections/{name}")
            return bool(found)

        until(ended, timeout=30, missing="a connection to cut")


def _wake_up() -> Letter:
    message: Message[None] = Message(SERVICE, ACTOR, (str(new_id()),), {}, {})
    return Letter(new_id(), SERVICE, {}, message.encode())


def _wake_ups(database: Database) -> list[Letter]:
    """Return what the relay would send."""
    sent: list[Letter] = []

    class Collecting:
        def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
            sent.extend(letters)
            return {}

    Pump(database, Collecting(), service=SERVICE).pump()
    return sent
