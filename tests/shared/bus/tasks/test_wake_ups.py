"""Wake-ups are messages of dramatiq's, though it takes no dramatiq to write and to read them."""

import dataclasses
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import pytest
from dramatiq import Message

from shared.bus.tasks.wake_ups import ACTOR, keep_rejected, queue_of, wake_up_letter
from shared.bus.transport import Delivery
from shared.database.sessions import Database
from shared.ids import new_id
from tests.shared.bus.running import Owner
from tests.shared.bus.tasks.probing import graves

RUN, WAKE_UP = new_id(), new_id()
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Row(NamedTuple):
    event_id: UUID = WAKE_UP
    type: str = "probe.send"
    traceparent: str = TRACE
    body: str = orjson.dumps({"run": RUN}).decode()


ROW: Any = Row()


def test_dramatiq_reads_what_is_written_here() -> None:
    """With all that a message of its own would have, and nothing besides."""
    letter = wake_up_letter("probe", ROW)
    message: Message[None] = Message.decode(letter.body)

    assert (message.queue_name, message.actor_name) == (letter.routing_key, ACTOR) == (queue_of("probe"), "run")
    assert (message.args, message.kwargs) == ((str(RUN),), {})
    assert message.options == {"task": "probe.send", "traceparent": TRACE}
    assert message.message_id == str(letter.id) == str(WAKE_UP)
    assert orjson.loads(letter.body).keys() == {field.name for field in dataclasses.fields(Message)}
    assert message.encode() == letter.body


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (wake_up_letter("probe", ROW).body, 0),
        (Message[None](queue_of("probe"), "walk", (str(RUN),), {}, {}).encode(), 0),
        (Message[None](queue_of("probe"), ACTOR, (str(RUN), 1), {}, {}).encode(), 1),
        (Message[None](queue_of("probe"), ACTOR, ("me",), {}, {}).encode(), 1),
        (Message[None](queue_of("probe"), ACTOR, (), {}, {}).encode(), 1),
        (orjson.dumps({"args": [RUN]}), 1),
        (b"[]", 1),
        (b"\xff{", 1),
        (b"", 1),
    ],
    ids=[
        "ours",
        "another actor",
        "two arguments",
        "no id",
        "no argument",
        "no message",
        "a list",
        "no text",
        "nothing",
    ],
)
def test_what_names_no_run_is_kept(working: Database, owner: Owner, body: bytes, kept: int) -> None:
    """A wake-up is nothing by itself; whatever else dramatiq rejected, somebody has to look at."""
    with working.transaction() as tx:
        keep_rejected(tx, Delivery({}, body, "probe.XQ", redelivered=False, receipt=None))

    assert graves(owner) == [("broken_body", None, 1)] * kept
