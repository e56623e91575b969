"""The ledger knows nobody's name; should one be sent to it, it comes out nowhere."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from services.ledger.main import SERVICE
from shared import clock
from shared.database.sessions import Database
from shared.telemetry import PERSONAL_FIELDS
from tests.ledger.door import Door
from tests.marking import Operation, filled, kept_aside, marked, operations, written


@pytest.fixture
def routes(door: Door) -> list[Operation]:
    app = door.client.app
    assert isinstance(app, FastAPI)
    return operations(app, SERVICE)


def call(door: Door, operation: Operation, *, wrong: bool) -> Any:
    """Call a route as somebody who may, with the mark in every text that it takes, or in everything."""
    places = {each["name"]: filled(each["schema"], operation.root, wrong=wrong) for each in operation.parameters}
    query = {each["name"]: places[each["name"]] for each in operation.parameters if each["in"] == "query"}
    body = filled(operation.body, operation.root, wrong=wrong) if operation.body else None
    token = door.issuer.issue(
        person_id=uuid4(), programme_id=door.programme_id, roles=[operation.role], now=clock.now(), partner_id=uuid4()
    )
    return door.client.request(
        operation.method, operation.path.format(**places), params=query, json=body,
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [False, True], ids=["well-formed", "ill-formed"])
def test_no_route_lets_a_name_out_by_the_side(
    door: Door, routes: list[Operation], database: Database, monkeypatch: pytest.MonkeyPatch, *, wrong: bool
) -> None:
    """Not into logs, problems, events, dead letters or arguments of tasks, whatever becomes of the request."""
    with written(monkeypatch) as lines:
        answers = [(operation.path, call(door, operation, wrong=wrong)) for operation in routes]
        logged = lines()

    for path, answer in answers:
        assert answer.status_code < 500, (path, answer.text)
        assert marked(f"{answer.text} {answer.headers}") == [], path
    assert marked(logged) == []
    with database.transaction() as tx:
        assert marked(kept_aside(tx)) == []
    assert {answer.status_code for _, answer in answers} >= ({422} if wrong else {200, 404})


def test_no_address_holds_what_is_somebodys(routes: list[Operation]) -> None:
    """Addresses end in the logs of every proxy on the way."""
    for operation in routes:
        assert not {parameter["name"] for parameter in operation.parameters} & PERSONAL_FIELDS, operation.path
