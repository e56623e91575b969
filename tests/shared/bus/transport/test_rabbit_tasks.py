"""Letters to queues by name: refused without a queue, confirmed with one, and both mixed."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from shared.bus.transport import Letter, Outcome, TopologyMissing, TransportDown
from shared.bus.transport.rabbit import RabbitTasks, RabbitTransport
from tests.shared.bus.transport.letters import CONFIRMED, drain, make_letter, receive
from tests.shared.bus.transport.management import Management
from tests.waiting import until

QUEUE = "notify"


@pytest.fixture
def tasks(url: str, management: Management) -> Iterator[RabbitTasks]:
    management.send("PUT", f"queues/{{vhost}}/{QUEUE}", {"durable": True, "arguments": {"x-queue-type": "quorum"}})
    with contextlib.closing(RabbitTasks(url)) as one:
        yield one


def make_task(*, queue: str = QUEUE, body: bytes = b"{}") -> Letter:
    return replace(make_letter(routing_key=queue, body=body), headers={})


def test_a_task_reaches_its_queue_as_it_was_sent(tasks: RabbitTasks, rabbit: RabbitTransport) -> None:
    """What dramatiq encoded is bytes to us."""
    letter = make_task(body=b"\x00\xff")

    assert tasks.publish([letter]) == {letter.id: CONFIRMED}

    (delivery,) = receive(rabbit.subscribe(QUEUE, batch=1), 1)
    assert (delivery.body, delivery.headers, delivery.routing_key) == (letter.body, {}, QUEUE)


def test_a_task_without_a_queue_is_refused_and_its_neighbours_are_not(
    tasks: RabbitTasks, rabbit: RabbitTransport, management: Management
) -> None:
    """RabbitMQ acknowledges what it returns; the return tells, and it tells of which."""
    letters = [make_task(queue=QUEUE if place % 3 else "nobody") for place in range(3_000)]

    outcomes = tasks.publish(letters)

    refused = [letter for letter in letters if letter.routing_key == "nobody"]
    assert outcomes == {
        letter.id: Outcome.REFUSED if letter.routing_key == "nobody" else CONFIRMED for letter in letters
    }
    arrived = drain(rabbit.subscribe(QUEUE, batch=500), 2_000)
    assert len(arrived) == 2_000
    management.send("PUT", "queues/{vhost}/nobody", {"durable": True})
    assert tasks.publish(refused) == {letter.id: CONFIRMED for letter in refused}


def test_a_full_queue_refuses(tasks: RabbitTasks, management: Management) -> None:
    """At its limit a queue rejects; the row of the task stays and is due again later."""
    tiny = {"pattern": QUEUE, "apply-to": "queues", "definition": {"max-length": 5, "overflow": "reject-publish"}}
    management.send("PUT", "policies/{vhost}/tiny", tiny)
    outcomes: dict[UUID, Outcome] = {}

    def some_refused() -> bool:
        outcomes.update(tasks.publish([make_task() for _ in range(50)]))
        return Outcome.REFUSED in outcomes.values()

    until(some_refused, timeout=10, missing="a refusal")
    assert CONFIRMED in outcomes.values()


def test_a_queue_is_counted(tasks: RabbitTasks) -> None:
    """Scaling and readiness read it; a queue that is missing is named."""
    tasks.publish([make_task(), make_task()])

    until(lambda: tasks.stats(QUEUE).ready == 2, timeout=10, missing="two tasks")
    with pytest.raises(TopologyMissing, match="no queue nobody"):
        tasks.stats("nobody")
    assert tasks.blocked is None


def test_closed_tasks_refuse(tasks: RabbitTasks) -> None:
    """They do not come back by themselves; closing twice is no error."""
    tasks.publish([make_task()])
    tasks.close()
    tasks.close()

    with pytest.raises(TransportDown):
        tasks.publish([make_task()])
