"""The AsyncAPI document: valid by the official schema, whole, and true of what is really told and heard."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from jsonschema import Draft7Validator, FormatChecker  # type: ignore[import-untyped]  # It ships no py.typed.
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from launch import cli
from launch.asyncapi import document, text_of
from launch.services import SERVICES
from shared import bus
from shared.bus.testing import message_of
from shared.bus.topology import Topology
from shared.events.activities import AttendanceSettled
from shared.events.base import Event, routing_key
from shared.events.golden import FOLDER
from shared.events.registry import contracts
from shared.service import Service
from tests.factories.ledger import make_revised, make_settled, make_voided
from tests.launch.commands import Terminal
from tests.servers import npm

ASSETS = Path(__file__).parent / "asyncapi"
SETTLED = "activities.attendance.settled"
FACTS = (make_settled(), make_revised(make_settled()), make_voided(make_settled()))
HEARD = f"ledger.accrue_donations.receive.{SETTLED}"

pytestmark = pytest.mark.timeout(900)  # At first need npm itself is installed.

Document = dict[str, Any]


class SettledAnew(AttendanceSettled):
    """A second version beside the first."""

    type: ClassVar[str] = f"{SETTLED}.v2"

    rain: int


@bus.on(AttendanceSettled, SettledAnew)
def hear_both(_tx: Session, _events: Sequence[AttendanceSettled]) -> None:
    """Hear two versions of one fact."""


@pytest.fixture(scope="session")
def official() -> Draft7Validator:
    """Return the official schema, which comes from npm."""
    schema = json.loads((npm.install(ASSETS) / "@asyncapi" / "specs" / "schemas" / "3.0.0.json").read_bytes())
    return Draft7Validator(schema, format_checker=FormatChecker())


@pytest.fixture
def found() -> Document:
    return document()


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def at(found: Document, reference: str) -> Any:
    """Return what a reference points to. Raises KeyError."""
    start, *names = reference.split("/")
    assert start == "#", f"{reference} leaves the document"
    for name in names:
        found = found[name]
    return found


def errors(schema: Draft7Validator, found: Document) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in schema.iter_errors(found)]


def test_the_document_is_valid(official: Draft7Validator, found: Document) -> None:
    """By the official schema of AsyncAPI 3.0.0."""
    assert errors(official, found) == []


def test_two_versions_share_a_channel_and_are_valid(official: Draft7Validator) -> None:
    """A routing key has no version: both are messages of one channel, and one handler may hear both."""
    hearer = Service("ledger", routers=(), handlers=(hear_both,))
    both: dict[str, type[Event]] = {model.type: model for model in (AttendanceSettled, SettledAnew)}

    found = document([hearer], both)

    assert errors(official, found) == []
    assert {*found["channels"]} == {SETTLED}
    assert {*found["channels"][SETTLED]["messages"]} == {*both}
    assert {*found["operations"]} == {f"activities.send.{SETTLED}", f"{hear_both.name}.receive.{SETTLED}"}
    for operation in found["operations"].values():
        assert operation["messages"] == [{"$ref": f"#/channels/{SETTLED}/messages/{SETTLED}.v{n}"} for n in (1, 2)]
    assert [reference for reference in references(found) if at(found, reference) is None] == []


def _without(*path: str) -> Callable[[Document], None]:
    def change(found: Document) -> None:
        del at(found, "/".join(("#", *path[:-1])))[path[-1]]

    return change


def _with(value: Any, *path: str) -> Callable[[Document], None]:
    def change(found: Document) -> None:
        at(found, "/".join(("#", *path[:-1])))[path[-1]] = value

    return change


_BINDING = ("channels", SETTLED, "bindings", "amqp")
_SENDING = ("operations", f"activities.send.{SETTLED}", "bindings", "amqp")
MUTATIONS = {
    "another AsyncAPI": _with("2.6.0", "asyncapi"),
    "no AsyncAPI": _without("asyncapi"),
    "no title": _without("info", "title"),
    "no version": _without("info", "version"),
    "a word that is none": _with({}, "topics"),
    "a server without protocol": _without("servers", "rabbitmq", "protocol"),
    "a server without host": _without("servers", "rabbitmq", "host"),
    "an operation without action": _without("operations", HEARD, "action"),
    "an operation without channel": _without("operations", HEARD, "channel"),
    "an action of AsyncAPI 2": _with("publish", "operations", HEARD, "action"),
    "a channel by its name": _with(SETTLED, "operations", HEARD, "channel"),
    "messages by their names": _with([f"{SETTLED}.v1"], "operations", HEARD, "messages"),
    "a channel's address as a list": _with([SETTLED], "channels", SETTLED, "address"),
    "another kind of exchange": _with("tropic", *_BINDING, "exchange", "type"),
    "a binding of another version": _with("9.9.9", *_BINDING, "bindingVersion"),
    "a routing key without exchange": _without(*_BINDING, "exchange"),
    "durable by word": _with("yes", *_BINDING, "exchange", "durable"),
    "a delivery mode that is none": _with(3, *_SENDING, "deliveryMode"),
    "a correlation id that is nowhere": _with("ce-traceparent", "components", "correlationIds", "trace", "location"),
    "a payload of no type": _with("uuid", "components", "schemas", f"{SETTLED}.v1", "type"),
}  # fmt: skip


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_changed_document_is_not_valid(official: Draft7Validator, found: Document, what: str) -> None:
    """The official schema sees it, so that its silence says something."""
    changed = copy.deepcopy(found)
    MUTATIONS[what](changed)

    assert errors(official, changed) != []


def test_all_that_is_referred_to_is_there(found: Document) -> None:
    """The schema does not look behind a reference; no reference leaves the document."""
    pointed = set(references(found))

    assert pointed
    for reference in pointed:
        assert at(found, reference)


def test_an_operation_s_messages_are_of_its_channel(found: Document) -> None:
    """As AsyncAPI demands, and JSON Schema cannot say."""
    for name, operation in found["operations"].items():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"]), name


def test_every_event_is_sent_and_every_subscription_received(found: Document) -> None:
    """Nothing is missing and nothing is made up."""
    operations = found["operations"].values()
    told = [at(found, each["$ref"]) for one in operations if one["action"] == "send" for each in one["messages"]]
    heard = {
        (one["title"], each["$ref"].rpartition("/")[2])
        for one in operations if one["action"] == "receive" for each in one["messages"]
    }  # fmt: skip

    assert {each["$ref"] for each in told} == {f"#/components/messages/{event_type}" for event_type in contracts()}
    assert heard == {
        (handler.name, event.type) for service in SERVICES for handler in service.handlers for event in handler.events
    }


def test_queues_and_addresses_are_those_of_the_topology(found: Document) -> None:
    """Who binds by the document binds what the broker has."""
    bindings = Topology.load().bindings

    for operation in found["operations"].values():
        if operation["action"] == "receive":
            assert at(found, operation["channel"]["$ref"])["address"] in bindings[operation["x-queue"]]


@pytest.mark.parametrize("event_type", contracts())
def test_a_payload_is_its_golden_schema(found: Document, event_type: str) -> None:
    """Word for word, only that its parts are elsewhere."""
    golden = json.loads((FOLDER / f"{event_type}.json").read_text("utf-8"))
    schemas = found["components"]["schemas"]
    parts = {name: schemas[f"{event_type}.{name}"] for name in golden.get("$defs", {})}
    rebuilt = json.dumps(schemas[event_type] | ({"$defs": parts} if parts else {})).replace(
        f"#/components/schemas/{event_type}.", "#/$defs/"
    )

    assert json.loads(rebuilt) == golden


@pytest.mark.parametrize("fact", FACTS, ids=[fact.type for fact in FACTS])
def test_what_is_told_is_as_the_document_says(found: Document, fact: Event) -> None:
    """A real letter: its routing key, its headers and its body."""
    letter = message_of(fact)
    message = found["components"]["messages"][fact.type]
    headers, payload = ({**found, "$ref": message[part]["$ref"]} for part in ("headers", "payload"))

    assert found["channels"][routing_key(fact.type)]["address"] == letter.routing_key
    assert {*letter.headers} == {*at(found, message["headers"]["$ref"])["required"]}
    assert errors(Draft7Validator(headers), dict(letter.headers)) == []
    assert errors(Draft7Validator(payload), orjson.loads(letter.body)) == []
    assert errors(Draft7Validator(headers), dict(letter.headers) | {"ce-type": "another"}) != []
    assert errors(Draft7Validator(payload), orjson.loads(letter.body) | {"evidence": "guessed"}) != []


class TestCommand:
    def test_it_writes_what_the_generator_makes(self, tmp_path: Path) -> None:
        """The same bytes in every process, and one line about them."""
        terminal, out = Terminal(tmp_path / "home"), tmp_path / "deep" / "down"

        first, second = (terminal.run("docs", "asyncapi", "--out", out, PYTHONHASHSEED=seed) for seed in ("1", "2"))

        counts = f"{len(contracts())} events, {len(document()['operations'])} operations"
        assert (first.code, first.out, first.err) == (0, f"{out / 'asyncapi.json'}: {counts}\n", "")
        assert second == first
        assert (out / "asyncapi.json").read_text("utf-8") == text_of(document())
        assert [path.name for path in out.iterdir()] == ["asyncapi.json"]

    def test_a_folder_that_is_none_is_one_line(self, tmp_path: Path) -> None:
        """Whoever named a file is told so, and the file is left."""
        file = tmp_path / "file"
        file.write_text("mine")

        complaint = Terminal(tmp_path).run("docs", "asyncapi", "--out", file).complaint()

        assert complaint == f"popcandy: cannot use {file}: File exists"
        assert file.read_text() == "mine"

    def test_a_document_that_cannot_be_written_is_one_line(self, tmp_path: Path) -> None:
        """Also where something else has its name."""
        (tmp_path / "asyncapi.json").mkdir()

        complaint = Terminal(tmp_path).run("docs", "asyncapi", "--out", tmp_path).complaint()

        assert complaint == f"popcandy: cannot write {tmp_path / 'asyncapi.json'}: Is a directory"

    def test_it_wants_to_know_where(self) -> None:
        """Nothing is written to wherever somebody happens to be."""
        assert CliRunner().invoke(cli.app, ["docs", "asyncapi"]).exit_code == 2
