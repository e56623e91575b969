"""Driving every route of a service with data that would be noticed wherever it came out again."""

import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

from launch.permissions import is_open, permission_of, routes_of
from shared import telemetry
from shared.roles import PERMISSIONS, Role
from shared.service import Service

NAME, NUMBER, PHONE, EMAIL = "泄漏名𠮷", "LEAK-000123", "13912345678", "leak@example.org"
MARK = f"{NAME} {NUMBER} {PHONE} {EMAIL}"
MARKS = (NAME, NUMBER, PHONE, EMAIL)
METHODS = {"get", "put", "post", "delete", "patch"}
_QUIET = ("outbox", "event_archive", "inbox", "dead_letter", "parked_letter", "task_run", "replay")
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One route, as its OpenAPI document has it."""

    method: str
    path: str
    permission: str
    parameters: list[Schema]
    body: Schema | None
    root: Schema

    @property
    def role(self) -> Role:
        """Somebody who may do it."""
        return min(PERMISSIONS[self.permission]) if self.permission else Role.FUNDER


def operations(app: FastAPI, service: Service) -> list[Operation]:
    """List an app's routes."""
    document = app.openapi()
    permissions = {route.operation_id: "" if is_open(route) else permission_of(route) for route in routes_of(service)}
    return [
        Operation(
            method.upper(), path, permissions[operation["operationId"]], operation.get("parameters", []),
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema"), document,
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]  # fmt: skip


def filled(schema: Schema, root: Schema, *, wrong: bool) -> Any:
    """Make what a schema asks for with the mark in every text; `wrong` puts it where a number or an id belongs, too."""
    while "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return filled(schema["anyOf"][0], root, wrong=wrong)
    if schema.get("type") == "object":
        return {name: filled(each, root, wrong=wrong) for name, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [filled(schema["items"], root, wrong=wrong)]
    return MARK if wrong else _plain(schema)


def _plain(schema: Schema) -> Any:
    for known in ("const", "enum", "default"):
        if known in schema:
            return schema[known][0] if known == "enum" else schema[known]
    formats = {"uuid": str(uuid4()), "date": "2022-06-01", "date-time": "2022-06-01T01:00:00Z"}
    by_type = {"integer": schema.get("minimum", 1), "boolean": True, "number": 1}
    kind = str(schema.get("type"))
    if kind in by_type:
        return by_type[kind]
    wanted = "0" * max(6, schema.get("minLength", 0)) if "pattern" in schema else MARK[: schema.get("maxLength")]
    return formats.get(schema.get("format", ""), wanted)


@contextmanager
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Write logs as a running process does, at the level that says most; yield what reads them."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    lines = io.StringIO()
    monkeypatch.setattr("sys.stderr", lines)
    telemetry.configure_logging(level="debug")
    structlog.configure(cache_logger_on_first_use=False)  # What is cached outlives this test.
    try:
        yield lines.getvalue
    finally:
        structlog.reset_defaults()
        root.handlers = before
        root.setLevel(level)


def marked(found: str) -> list[str]:
    """Return the marks that a text holds, written plainly or as JSON escapes."""
    return [mark for mark in MARKS if mark in found or json.dumps(mark)[1:-1] in found]


def kept_aside(tx: Session) -> str:
    """Return everything that stands in the bus's tables, as text."""
    rows: list[str] = []
    for table in _QUIET:
        rows += tx.scalars(text(f"SELECT {table}::text FROM {table}")).all()  # noqa: S608  The list above.
        if table in {"inbox", "dead_letter", "parked_letter"}:
            bodies = tx.scalars(text(f"SELECT body FROM {table} WHERE body IS NOT NULL")).all()  # noqa: S608  As above.
            rows += [bytes(body).decode(errors="replace") for body in bodies]
    return "\n".join(rows)
