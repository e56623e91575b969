"""What a web role lets in: so many at once, so much at a time."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import anyio
import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, get_contextvars

from shared.database.sessions import Database
from shared.web.limits import MOST_BODY_BYTES, Gate, Traced
from tests.shared.notes import POOL_SIZE, bodies
from tests.shared.web.conftest import problem_of
from tests.waiting import until


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an app on a port of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started, timeout=10, missing="the web server")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


def test_many_more_callers_than_connections_are_all_answered(app: FastAPI, notes: Database) -> None:
    """Two hundred phones at nine o'clock; without the gate nobody got an answer (PITFALLS.md H4)."""
    limits = httpx2.Limits(max_connections=200)
    with served(app) as url, httpx2.Client(base_url=url, limits=limits, timeout=60, trust_env=False) as client:
        together = threading.Barrier(200)

        def call(_: int) -> int:
            together.wait(30)
            return client.get("/api/kit/slow").status_code

        with ThreadPoolExecutor(200) as pool:
            statuses = list(pool.map(call, range(200)))

    assert statuses == [200] * 200
    assert notes.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # A QueuePool has it.
    assert POOL_SIZE < 10


def test_health_is_answered_while_everybody_waits(app: FastAPI) -> None:
    """A busy process is not a dead one."""
    with served(app) as url, httpx2.Client(base_url=url, timeout=60, trust_env=False) as client:
        with ThreadPoolExecutor(20) as pool:
            calls = [pool.submit(client.get, "/api/kit/slow") for _ in range(20)]
            assert client.get("/livez").status_code == 200
            assert client.get("/readyz").status_code == 200
        assert {call.result().status_code for call in calls} == {200}


def chunks(size: int) -> Iterator[bytes]:
    """Send `size` bytes without saying how many they will be."""
    while size > 0:
        yield b"x" * min(size, 1 << 20)
        size -= 1 << 20


class TestBodyLimit:
    def test_a_body_that_says_how_long_it_is_is_refused_at_once(self, client: TestClient) -> None:
        """Before a byte of it is read."""
        answer = client.post("files", content=b"", headers={"content-length": str(MOST_BODY_BYTES + 1)})

        assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")
        assert problem_of(answer)["facts"] == {"most_bytes": MOST_BODY_BYTES}
        assert answer.headers["connection"] == "close"

    @pytest.mark.parametrize(
        ("path", "kind"), [("notes", "application/json"), ("files", "multipart/form-data; boundary=b")]
    )
    def test_a_body_that_goes_on_and_on_is_cut_off(self, client: TestClient, path: str, kind: str) -> None:
        """A chunked request says nothing of its length."""
        answer = client.post(path, content=chunks(MOST_BODY_BYTES + 1), headers={"content-type": kind})

        assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")

    def test_it_is_cut_off_over_a_real_connection_too(self, app: FastAPI, notes: Database) -> None:
        """And the server goes on."""
        with served(app) as url, httpx2.Client(base_url=url, timeout=30, trust_env=False) as client:
            try:
                status = client.post("/api/kit/notes", content=chunks(3 * MOST_BODY_BYTES)).status_code
            except httpx2.TransportError:  # It closed the connection while we were still sending.
                status = 413
            assert status == 413
            assert client.post("/api/kit/notes", json={"id": 1, "body": "kept"}).status_code == 201
        assert bodies(notes) == ["kept"]

    def test_a_body_within_the_limit_arrives_whole(self, client: TestClient) -> None:
        """An import's file of twenty megabytes is what the limit is for."""
        content = b"x" * (20 * 1024 * 1024)
        answer = client.post("files", files={"file": ("big.csv", content)})

        assert (answer.status_code, answer.json()) == (200, len(content))


def slowly(release: threading.Event) -> Iterator[bytes]:
    """Begin a body, and go on with it when told."""
    yield b'{"id": 1, '
    release.wait(20)
    yield b'"body": "slow"}'


class TestSlowBodies:
    def test_take_no_place_from_others(self, app: FastAPI, notes: Database) -> None:
        """A dozen phones on a bad line must not stop everybody else."""
        release = threading.Event()
        kind = {"content-type": "application/json"}
        with (
            served(app) as url,
            httpx2.Client(base_url=url, timeout=30, trust_env=False) as client,
            ThreadPoolExecutor(2 * POOL_SIZE) as pool,
        ):
            post = partial(client.post, "/api/kit/notes", headers=kind)
            slow = [pool.submit(post, content=slowly(release)) for _ in range(2 * POOL_SIZE)]
            assert client.get("/api/kit/slow", timeout=10).status_code == 200
            release.set()
            statuses = sorted(call.result().status_code for call in slow)
        assert statuses == [201] + [500] * (2 * POOL_SIZE - 1)  # All of them send the same key.
        assert bodies(notes) == ["slow"]

    def test_are_given_up_in_the_end(self, app: FastAPI) -> None:
        """With an answer that says why."""
        impatient = Traced(Gate(app, admitted=1, body_seconds=0.2))
        with served(impatient) as url, httpx2.Client(base_url=url, timeout=30, trust_env=False) as client:
            with socket.create_connection(("127.0.0.1", httpx2.URL(url).port or 0), timeout=10) as line:
                line.sendall(b"POST /api/kit/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
                answer = b"".join(iter(partial(line.recv, 65536), b""))  # Until the server closes.
            assert answer.startswith(b"HTTP/1.1 408")
            assert b'"request_timeout"' in answer
            assert client.get("/livez").status_code == 200

    def test_whose_sender_has_gone_hold_nothing(self, app: FastAPI, notes: Database) -> None:
        """A phone that loses its line in the middle has sent nothing."""
        with served(app) as url, httpx2.Client(base_url=url, timeout=30, trust_env=False) as client:
            for _ in range(2 * POOL_SIZE):
                with socket.create_connection(("127.0.0.1", httpx2.URL(url).port or 0), timeout=10) as line:
                    line.sendall(b"POST /api/kit/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
            assert client.get("/api/kit/slow").status_code == 200
        assert bodies(notes) == []


def test_nothing_of_a_request_is_bound_to_the_next() -> None:
    """A connection's next request may be inherit what the one before left; its log must not name that caller."""
    seen = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(set(get_contextvars()))
        bind_contextvars(caller="somebody")

    async def serve() -> None:
        scope = {"type": "http", "headers": []}
        for _ in range(2):
            await Traced(app)(scope, receive_nothing, send_nowhere)

    anyio.run(serve)

    assert seen == [{"trace_id"}, {"trace_id"}]


async def receive_nothing() -> Message:
    return {"type": "http.disconnect"}


async def send_nowhere(_message: Message) -> None:
    return


class TestWaiting:
    def test_for_room_has_an_end(self) -> None:
        """Better a clear answer to come again than none; and health is answered meanwhile."""
        busy, release = threading.Event(), threading.Event()

        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            if scope["path"] == "/long":
                busy.set()
                await anyio.to_thread.run_sync(release.wait, 20)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})

        full = Traced(Gate(app, admitted=1, wait_seconds=0.2))
        with (
            served(full) as url,
            httpx2.Client(base_url=url, timeout=30, trust_env=False) as client,
            ThreadPoolExecutor(1) as pool,
        ):
            long = pool.submit(client.get, "/long")
            assert busy.wait(10)

            refused = client.get("/short")

            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert refused.headers["retry-after"] == "2"
            assert client.get("/livez").status_code == 200
            release.set()
            assert long.result().status_code == 200
            assert client.get("/short").status_code == 200
