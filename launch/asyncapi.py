"""The AsyncAPI 3.0 document: what each service tells and hears, made from contracts, subscriptions and topology.

A channel is a routing key of the exchange `events`. Its messages are the versions of one fact: a routing key names no
version, `ce-type` does. Source: AsyncAPI 3.0.0, its AMQP bindings 0.3.0; CloudEvents 1.0, binary mode.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from launch.services import SERVICES
from shared.bus import Handler
from shared.bus.topology import DEFINITIONS, EXCHANGE
from shared.events.base import Event, routing_key
from shared.events.golden import promise_of
from shared.events.registry import contracts
from shared.service import Service

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
BINDING_VERSION = "0.3.0"
TRACE = "$message.header#/ce-traceparent"

Part = dict[str, Any]
Contracts = Mapping[str, type[Event]]


def document(services: Sequence[Service] = SERVICES, models: Contracts | None = None) -> Part:
    """Describe every event type with who tells it and who hears it; it holds all that it refers to."""
    models = contracts() if models is None else models
    operations = [*_told(models), *_heard(services)]
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": {"rabbitmq": _server()},
        "channels": {key: _channel(key, types) for key, types in _channels(models)},
        "operations": dict(operations),
        "components": {
            "messages": {event_type: _message(model) for event_type, model in models.items()},
            "schemas": {name: schema for model in models.values() for name, schema in _schemas(model)},
            "correlationIds": {"trace": {"description": "W3C trace context; its trace id.", "location": TRACE}},
        },
    }


def text_of(found: Part) -> str:
    """Return a document as text that is the same for the same code, line by line."""
    return json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _info() -> Part:
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return {
        "title": "Popcandy events",
        "version": project["version"],
        "description": f"{project['description']} Facts carry ids and values, never personal data.",
        "license": {"name": project["license"]},
    }


def _server() -> Part:
    return {
        "host": "{broker}",
        "pathname": "/{vhost}",
        "protocol": "amqp",
        "protocolVersion": "0.9.1",
        "description": "RabbitMQ, 3.10 or newer. The embedded platform has the same letters in its PostgreSQL.",
        "variables": {
            "broker": {"default": "localhost:5672", "description": "Host and port, as in POPCANDY_AMQP_URL."},
            "vhost": {"default": _exchange()["vhost"], "description": "Virtual host, as in POPCANDY_AMQP_URL."},
        },
    }


def _exchange() -> Part:
    (found,) = [each for each in orjson.loads(DEFINITIONS.read_bytes())["exchanges"] if each["name"] == EXCHANGE]
    return {
        "name": found["name"],
        "type": found["type"],
        "durable": found["durable"],
        "autoDelete": found["auto_delete"],
        "vhost": found["vhost"],
    }


def _channels(event_types: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Group event types, in order, by routing key."""
    return ((key, list(types)) for key, types in groupby(sorted(event_types), key=routing_key))


def _channel(key: str, event_types: Sequence[str]) -> Part:
    binding = {"is": "routingKey", "exchange": _exchange(), "bindingVersion": BINDING_VERSION}
    return {
        "address": key,
        "servers": [_to("servers", "rabbitmq")],
        "messages": {event_type: _to("components", "messages", event_type) for event_type in event_types},
        "bindings": {"amqp": binding},
    }


def _told(event_types: Iterable[str]) -> Iterator[tuple[str, Part]]:
    for key, types in _channels(event_types):
        service = _publisher(key)
        operation = _operation("send", key, types, service) | {
            "summary": f"{service} tells this in the transaction that made it true.",
            "bindings": {"amqp": {"deliveryMode": 2, "bindingVersion": BINDING_VERSION}},
        }
        yield f"{service}.send.{key}", operation


def _heard(services: Iterable[Service]) -> Iterator[tuple[str, Part]]:
    for service in services:
        for handler in service.handlers:
            yield from _heard_by(handler, service)


def _heard_by(handler: Handler[Any], service: Service) -> Iterator[tuple[str, Part]]:
    for key, types in _channels(event.type for event in handler.events):
        operation = _operation("receive", key, types, service.name) | {
            "title": handler.name,
            "bindings": {"amqp": {"ack": True, "bindingVersion": BINDING_VERSION}},
            "x-queue": service.subscriptions.queue,  # A channel of routing keys has no word for the queue behind it.
        }
        yield f"{handler.name}.receive.{key}", operation


def _operation(action: str, key: str, event_types: Sequence[str], service: str) -> Part:
    return {
        "action": action,
        "channel": _to("channels", key),
        "messages": [_to("channels", key, "messages", event_type) for event_type in event_types],
        "tags": [{"name": service}],
    }


def _message(model: type[Event]) -> Part:
    return {
        "name": model.type,
        "title": model.__name__,
        "contentType": "application/json",
        "headers": _to("components", "schemas", f"{model.type}.headers"),
        "payload": _to("components", "schemas", model.type),
        "correlationId": _to("components", "correlationIds", "trace"),
    }


def _schemas(model: type[Event]) -> Iterator[tuple[str, Part]]:
    """Yield a contract's payload, its headers, and what its payload refers to: under its type, so that none collide."""
    promise = promise_of(model)
    parts = promise.pop("$defs", {})
    yield model.type, _moved(promise, model.type)
    yield f"{model.type}.headers", _headers(model)
    for name, part in parts.items():
        yield f"{model.type}.{name}", _moved(part, model.type)


def _moved(part: Part, event_type: str) -> Part:
    """Turn what refers to a contract's own `$defs` to where they are here."""
    text = json.dumps(part).replace('"#/$defs/', f'"#/components/schemas/{event_type}.')
    return dict(json.loads(text))


def _headers(model: type[Event]) -> Part:
    """Describe the CloudEvents attributes of one event type, as `shared.bus.envelope` and the relay write them."""
    text: Part = {"type": "string"}
    properties = {
        "ce-specversion": text | {"const": "1.0"},
        "ce-id": text | {"format": "uuid", "description": "The same at each delivery; repeats are dropped by it."},
        "ce-type": text | {"const": model.type},
        "ce-source": text | {"const": f"/popcandy/{_publisher(model.type)}"},
        "ce-time": text | {"format": "date-time"},
        "ce-partitionkey": text | {"description": f"The value of `{model.key}`: facts of one key are told in order."},
        "ce-programmeid": text | {"format": "uuid"},
        "ce-traceparent": text | {"description": "W3C trace context of what made the fact true."},
    }
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _publisher(event_type: str) -> str:
    return event_type.partition(".")[0]


def _to(*path: str) -> Part:
    return {"$ref": f"#/{'/'.join(path)}"}
