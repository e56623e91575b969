"""The one way to make a service's web app."""

from pathlib import Path

from fastapi import FastAPI

from shared.auth.tokens import TokenVerifier
from shared.bus.topology import Topology
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.service import Service
from shared.web import assets, faults, problems, task_runs
from shared.web.docs_page import add_docs_page
from shared.web.health import add_health, patient
from shared.web.limits import BodyLimit, Gate, Traced
from shared.web.openapi import describe
from shared.web.operations import operations_of
from shared.web.options import WebOptions


def create_app(
    service: Service, *, database: Database, transport: Transport, verifier: TokenVerifier, options: WebOptions
) -> FastAPI:
    """Serve a service's routes under `/api/<service>`, with problems, traces, limits and health checks."""
    app = routes_of(service)
    app.state.database, app.state.transport, app.state.verifier = database, transport, verifier
    app.state.options = options
    faults.install(app)
    app.add_middleware(Gate, admitted=database.pool_size)
    app.add_middleware(BodyLimit)
    app.add_middleware(Traced)
    queues = Topology.queues_of(service.name)
    add_health(app, {"database": database.ping, "broker": patient(lambda: transport.check(queues))})
    return app


def routes_of(service: Service, *, vendor: Path | None = None) -> FastAPI:
    """Return an app that has a service's routes and their document, and nothing behind them."""
    prefix = f"/api/{service.name}"
    app = FastAPI(title=f"Popcandy {service.name}", openapi_url=f"{prefix}/openapi.json", docs_url=None, redoc_url=None)
    for router in (*service.routers, operations_of(service), task_runs.router):
        app.include_router(router, prefix=prefix)
    problems.install(app)
    describe(app, service)
    add_docs_page(app, prefix, vendor=vendor or assets.vendor())
    return app
