"""Whether a service can do its work: it lives, and it has what it needs."""

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from shared.bus.transport import TopologyMissing, TransportDown

PATIENCE_SECONDS = 30.0

Check = Callable[[], None]


def add_health(app: FastAPI, checks: dict[str, Check]) -> None:
    """Add `/livez` (the process answers) and `/readyz` (so does what it needs); 503 names what does not."""

    @app.get("/livez", include_in_schema=False)
    async def live() -> dict[str, bool]:
        """Say that the process answers."""
        return {"live": True}

    @app.get("/readyz", include_in_schema=False)
    def ready() -> JSONResponse:
        """Ask everything that the service needs."""
        failures = {name: reason for name, check in checks.items() if (reason := _failure(check))}
        body: dict[str, Any] = {"ready": not failures, "failures": failures}
        return JSONResponse(body, 503 if failures else 200)


def patient(check: Check, *, seconds: float = PATIENCE_SECONDS) -> Check:
    """Return a check that passes over a broker that was there less than `seconds` ago: requests do without it a while.

    What they tell waits in the outbox. A broker that never answered, or lacks a queue, is reported at once.
    """
    answered_at = -float("inf")

    def checked() -> None:
        nonlocal answered_at
        try:
            check()
        except TransportDown:
            if time.monotonic() - answered_at > seconds:
                raise
        else:
            answered_at = time.monotonic()

    return checked


def _failure(check: Check) -> str | None:
    try:
        check()
    except (SQLAlchemyError, TransportDown, TopologyMissing) as error:
        return type(error).__name__
    return None
