"""How a service's work looks to operators, over HTTP."""

import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from shared import bus
from shared.bus.tasks.running import Runner
from shared.database.server import Server
from shared.database.sessions import Database
from shared.errors import NotFound
from tests.shared.auth.signing import PROGRAMME, make_token
from tests.shared.bus.running import Owner
from tests.shared.web.conftest import KEY, problem_of

PRINT = bus.Task("kit.print_note")


def refuse(_job: bus.Job, _note: str) -> None:
    """Say no."""
    raise NotFound(note=1)


def ask(database: Database, *, programme_id: UUID | None = PROGRAMME, key: str | None = None) -> str:
    with database.transaction() as tx:
        return str(bus.task(tx, PRINT, "信", programme_id=programme_id, key=key))


def get(client: TestClient, path: str, *, role: str = "ops", **query: Any) -> Any:
    headers = {"authorization": f"Bearer {make_token(KEY, roles=[role])}"}
    return client.get(f"task-runs{path}", params=query, headers=headers)


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


@pytest.fixture(scope="module")
def prepared(server: Server) -> Server:
    own = Server(server.url, prefix="runs_")
    own.prepare("activities")
    return own


@pytest.fixture
def notes(prepared: Server) -> Iterator[Database]:
    """Serve a database with a service's tables instead of notes; nothing was asked for in it."""
    Owner(prepared, "activities").execute("TRUNCATE task_run, outbox, dead_letter CASCADE")
    with contextlib.closing(prepared.open("activities", pool_size=3)) as found:
        yield found


@pytest.fixture
def works(notes: Database) -> Database:
    return notes


def test_runs_are_listed_newest_first_and_page_by_page(works: Database, client: TestClient) -> None:
    """Each page says where the next one begins."""
    asked = [ask(works) for _ in range(5)]

    first = get(client, "", limit=2)
    second = get(client, "", limit=2, cursor=first.json()["next"])
    last = get(client, "", limit=2, cursor=second.json()["next"])

    assert [*ids(first), *ids(second), *ids(last)] == asked[::-1]
    assert last.json()["next"] is None


def test_a_run_tells_how_it_went(works: Database, client: TestClient) -> None:
    """In the list without what it was asked; alone with all of it."""
    run_id = ask(works, key="note:1")
    Runner(works, [bus.work(PRINT, max_retries=0, time_limit_ms=1_000, backoff_seconds=1)(refuse)]).run(UUID(run_id))

    (item,) = get(client, "", state="failed").json()["items"]
    assert {name: item[name] for name in ("id", "task", "key", "state", "attempts", "error")} == {
        "id": run_id,
        "task": "kit.print_note",
        "key": "note:1",
        "state": "failed",
        "attempts": 1,
        "error": "NotFound: not_found: Not found (note=1)",
    }
    assert "arguments" not in item
    whole = get(client, f"/{run_id}").json()
    assert whole.items() >= item.items()
    assert whole["arguments"] == '["信"]'
    assert "raise NotFound" in whole["stack"]
    assert get(client, "", state="queued").json() == {"items": [], "next": None}


def test_runs_of_another_programme_are_not_there(works: Database, client: TestClient) -> None:
    """Those that say no programme, as timers, are everybody's."""
    mine, nobodys, others = ask(works), ask(works, programme_id=None), ask(works, programme_id=uuid4())

    assert set(ids(get(client, ""))) == {mine, nobodys}
    for run_id in (others, str(uuid4())):
        assert problem_of(get(client, f"/{run_id}"))["code"] == "not_found"


def test_only_operators_of_the_platform_look(works: Database, client: TestClient) -> None:
    """A run's error may name what is none of a volunteer's business."""
    run_id = ask(works)

    for path in ("", f"/{run_id}"):
        assert problem_of(get(client, path, role="volunteer"))["code"] == "missing_permission"
        assert get(client, path, role="admin").status_code == 200


def test_there_are_four_states(works: Database, client: TestClient) -> None:
    """Another is a slip, and is told so."""
    ask(works)

    assert get(client, "", state="lost").status_code == 422
    assert len(ids(get(client, "", state="queued"))) == 1
