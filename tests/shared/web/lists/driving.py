"""Calling an app as a server does, so that a test decides when a caller reads on, and when it goes away."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import anyio
from fastapi import FastAPI
from starlette.types import Message

from tests.shared.auth.signing import make_token
from tests.shared.web.conftest import KEY

Send = Callable[[Message], Awaitable[None]]


async def ask(app: FastAPI, path: str, programme_id: UUID, send: Send, gone: anyio.Event | None = None) -> None:
    """Ask for a path below `/api/kit` and hand each message of the answer to `send`; the caller leaves with `gone`."""
    path, _, query = path.partition("?")
    token = make_token(KEY, roles=["operator"], programme_id=str(programme_id))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/api/kit{path}",
        "raw_path": f"/api/kit{path}".encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"authorization", f"Bearer {token}".encode()), (b"accept-language", b"en")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    leaving = gone or anyio.Event()
    has_asked = False

    async def receive() -> Message:
        nonlocal has_asked
        if not has_asked:
            has_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await leaving.wait()
        return {"type": "http.disconnect"}

    await app(scope, receive, send)
