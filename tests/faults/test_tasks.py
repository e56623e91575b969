"""Tasks whose workers are killed, whose broker is away, whose release is too old: each is done, or fails in sight."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from shared import bus
from shared.database.server import Server
from tests.faults.post_office import MAIL, MAX_RETRIES, SEND, Manner
from tests.faults.processes import Process, Processes, processes
from tests.servers.rabbitmq import Broker
from tests.servers.rabbitmq_node import RabbitNode
from tests.shared.bus.running import Owner
from tests.shared.bus.tasks.places import make_vhost, tasks_vhost
from tests.shared.bus.tasks.probing import Run, graves, run_of

TASK = "probe.send_letter"


class Office:
    """A service's database, and the processes that do its tasks."""

    def __init__(self, server: Server, started: Processes, amqp: str) -> None:
        self._server = server
        self._started = started
        self._amqp = amqp
        server.prepare("activities")
        self.owner = Owner(server, "activities")
        self.owner.execute(MAIL)
        self.database = server.open("activities", pool_size=2)

    def start(self, manner: Manner = Manner.DO, *, lease: float = 2.0) -> Process:
        url = self._server.url.render_as_string(hide_password=False)
        process = self._started.start(
            "tests.faults.post_office", f"--database={url}", f"--prefix={self._server.prefix}", f"--amqp={self._amqp}",
            f"--manner={manner}", f"--marker={self.marker(manner)}", f"--lease={lease}",
        )  # fmt: skip
        process.until(lambda: "ready" in process.output, missing="a process that works")
        return process

    def marker(self, manner: Manner) -> Path:
        return self._started.folder / manner

    def kill_in(self, manner: Manner) -> None:
        """Start a worker, and kill it when it has come to its point."""
        self.marker(manner).unlink(missing_ok=True)
        process = self.start(manner)
        process.until(self.marker(manner).exists, missing=f"the point `{manner}`")
        process.kill()

    def let_go(self, manner: Manner) -> None:
        self.marker(manner).with_suffix(".go").touch()

    def ask(self, letter_id: UUID) -> UUID:
        """Ask twice under one key, as a caller does that does not know whether it has."""
        runs = set()
        for _ in range(2):
            with self.database.transaction() as tx:
                runs.add(bus.task(tx, SEND, letter_id, key=f"letter:{letter_id}"))
        (run_id,) = runs
        return run_id

    def run(self, run_id: UUID) -> Run:
        return run_of(self.owner, run_id)

    @property
    def mails(self) -> list[tuple[object, ...]]:
        return self.owner.execute("SELECT letter_id, attempt FROM mail")

    def finish(self, run_id: UUID, *, state: str = "done") -> Run:
        """Let a sound worker come to the end of it, and check that nothing is left over."""
        process = self.start()
        process.until(lambda: self.run(run_id).state == state, missing=f"a run that is {state}")
        process.until(lambda: self.owner.count("outbox") == 0, missing="an empty outbox")
        process.end()
        return self.run(run_id)


@contextlib.contextmanager
def opened(server: Server, folder: Path, amqp: str) -> Iterator[Office]:
    own = Server(server.url, prefix=f"fault_{uuid.uuid4().hex[:8]}_")
    with contextlib.ExitStack() as stack:
        stack.callback(own.drop, "activities")
        office = Office(own, stack.enter_context(processes(folder)), amqp)
        stack.callback(office.database.close)
        yield office


@pytest.fixture(params=[pytest.param("rabbit", marks=pytest.mark.rabbitmq), "local"])
def office(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Office]:
    """Open an office over each kind of broker."""
    with contextlib.ExitStack() as stack:
        amqp = ""
        if request.param == "rabbit":
            amqp = stack.enter_context(tasks_vhost(request.getfixturevalue("rabbitmq")))
        yield stack.enter_context(opened(server, tmp_path, amqp))


@pytest.fixture
def rabbit_office(rabbitmq: Broker, server: Server, tmp_path: Path) -> Iterator[Office]:
    with tasks_vhost(rabbitmq) as amqp, opened(server, tmp_path, amqp) as office:
        yield office


def test_a_worker_killed_before_it_sends(office: Office) -> None:
    """F20: the run is taken back when the lease is over, and done; one mail for the key."""
    letter = uuid.uuid4()
    run_id = office.ask(letter)
    office.kill_in(Manner.STOP_BEFORE)
    assert office.run(run_id).state == "running"
    assert office.mails == []

    found = office.finish(run_id)

    assert (found.state, found.attempts) == ("done", 2)
    assert office.mails == [(letter, 2)]


def test_a_worker_killed_when_it_has_sent(office: Office) -> None:
    """F20: it is done again, for nobody wrote down that it was; whom it sends to knows the key: one mail."""
    letter = uuid.uuid4()
    run_id = office.ask(letter)
    office.kill_in(Manner.STOP_BEHIND)
    assert office.mails == [(letter, 1)]

    found = office.finish(run_id)

    assert (found.state, found.attempts) == ("done", 2)
    assert office.mails == [(letter, 1)]


def test_a_task_that_kills_each_worker(office: Office) -> None:
    """F20: it fails in sight after all its tries, and harms nobody behind it."""
    run_id = office.ask(uuid.uuid4())
    for _ in range(MAX_RETRIES + 1):
        office.kill_in(Manner.STOP_BEFORE)
    innocent = office.ask(uuid.uuid4())

    assert office.finish(run_id, state="failed").attempts == MAX_RETRIES + 2
    assert graves(office.owner) == [("killed", TASK, MAX_RETRIES + 1)]
    assert office.run(innocent).state == "done"
    assert len(office.mails) == 1


def test_a_broker_in_memory_begins_anew_at_once(server: Server, tmp_path: Path) -> None:
    """F20: nobody else can hold a lease there; a restart does not wait for it to end."""
    with opened(server, tmp_path, "") as office:
        run_id = office.ask(uuid.uuid4())
        process = office.start(Manner.STOP_BEFORE, lease=600)
        process.until(office.marker(Manner.STOP_BEFORE).exists, missing="the point")
        process.kill()

        begun = time.monotonic()
        assert office.finish(run_id).attempts == 2
        assert time.monotonic() - begun < 60


def test_a_worker_of_an_older_release(rabbit_office: Office) -> None:
    """F20: it does not know the task; no try counts, and the next release does it."""
    run_id = rabbit_office.ask(uuid.uuid4())
    old = rabbit_office.start(Manner.KNOW_NOTHING)
    old.until(lambda: rabbit_office.run(run_id).error is not None, missing="a word about it")
    assert rabbit_office.run(run_id).state == "queued"
    assert rabbit_office.run(run_id).error == "no worker knows this task"
    old.end()

    assert rabbit_office.finish(run_id).attempts == 1
    assert len(rabbit_office.mails) == 1


def test_told_to_end_in_the_middle_of_a_task(office: Office) -> None:
    """F21: what is begun is finished, and the process is gone within its grace."""
    run_id = office.ask(uuid.uuid4())
    process = office.start(Manner.WAIT)
    process.until(office.marker(Manner.WAIT).exists, missing="the point")

    ending = time.monotonic()
    process.signal_end()
    office.let_go(Manner.WAIT)
    assert process.wait() == 0, process.output[-2000:]

    assert time.monotonic() - ending < 30
    assert (office.run(run_id).state, office.run(run_id).attempts) == ("done", 1)


def test_told_to_end_while_a_call_blocks(rabbit_office: Office) -> None:
    """F21: no limit can break it (PITFALLS D7); the process is gone all the same, and another does the run."""
    run_id = rabbit_office.ask(uuid.uuid4())
    process = rabbit_office.start(Manner.STOP_BEFORE)
    process.until(rabbit_office.marker(Manner.STOP_BEFORE).exists, missing="the point")

    ending = time.monotonic()
    process.signal_end()
    assert process.wait() == 0, process.output[-2000:]

    assert time.monotonic() - ending < 30
    assert rabbit_office.finish(run_id).attempts == 2
    assert len(rabbit_office.mails) == 1


@pytest.mark.rabbitmq
def test_a_broker_that_is_gone_when_a_try_fails(node: RabbitNode, server: Server, tmp_path: Path) -> None:
    """F20: the retry stands in the row and in the outbox, and goes out when the broker is back; one mail."""
    vhost = f"test-{uuid.uuid4().hex}"
    with httpx2.Client(base_url=node.management_url, timeout=60, trust_env=False) as client:
        make_vhost(client, vhost)
    amqp = node.amqp_url.rsplit("/", 1)[0] + f"/{vhost}"

    with opened(server, tmp_path, amqp) as office:
        letter = uuid.uuid4()
        run_id = office.ask(letter)
        process = office.start(Manner.FAIL_FIRST)
        process.until(office.marker(Manner.FAIL_FIRST).exists, missing="the first try")
        node.kill()
        office.let_go(Manner.FAIL_FIRST)
        process.until(lambda: office.run(run_id).state == "queued", missing="a try that failed")
        assert office.run(run_id).error == "ConnectionError: the post office is closed"
        assert office.mails == []

        node.restart()
        process.until(lambda: office.run(run_id).state == "done", missing="the second try", timeout=120)
        process.until(lambda: office.owner.count("outbox") == 0, missing="an empty outbox")
        process.end()

        assert office.run(run_id).attempts == 2
        assert office.mails == [(letter, 2)]
