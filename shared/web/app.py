"""The one way to make a service's web app."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from shared.auth.tokens import TokenVerifier
from shared.bus.transport import TopologyMissing, Transport, TransportDown
from shared.database.sessions import Database
from shared.service import Service
from shared.web import faults, problems, task_runs
from shared.web.limits import BodyLimit, Gate, Traced
from shared.web.operations import operations_of


def create_app(service: Service, *, database: Database, transport: Transport, verifier: TokenVerifier) -> FastAPI:
    """Serve a service's routes under `/api/<service>`, with problems, traces, limits and health checks."""
    prefix = f"/api/{service.name}"
    app = FastAPI(title=f"Popcandy {service.name}", openapi_url=f"{prefix}/openapi.json", docs_url=None, redoc_url=None)
    app.state.database, app.state.transport, app.state.verifier = database, transport, verifier
    for router in (*service.routers, operations_of(service), task_runs.router):
        app.include_router(router, prefix=prefix)
    problems.install(app)
    faults.install(app)
    app.add_middleware(Gate, admitted=database.pool_size)
    app.add_middleware(BodyLimit)
    app.add_middleware(Traced)
    add_health(app, {"database": lambda: _ask(database), "broker": lambda: _check(service, transport)})
    return app


def add_health(app: FastAPI, checks: dict[str, Callable[[], None]]) -> None:
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


def _failure(check: Callable[[], None]) -> str | None:
    try:
        check()
    except (SQLAlchemyError, TransportDown, TopologyMissing) as error:
        return type(error).__name__
    return None


def _ask(database: Database) -> None:
    with database.apart() as tx:
        tx.execute(text("SELECT 1"))


def _check(service: Service, transport: Transport) -> None:
    transport.check([service.subscriptions.queue] if service.handlers else [])
