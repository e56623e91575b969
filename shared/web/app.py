"""The one way to make a service's web app."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig

from shared.auth.tokens import TokenVerifier
from shared.bus.topology import Topology
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.service import Service
from shared.web import assets, audit_entries, denials, faults, problems, task_runs
from shared.web.docs_page import add_docs_page
from shared.web.headers import ApiHeaders, cross_origin
from shared.web.health import add_health, patient
from shared.web.limits import BodyLimit, Gate, Traced
from shared.web.lists.streaming import Places
from shared.web.openapi import describe
from shared.web.operations import operations_of
from shared.web.options import WebOptions
from shared.web.rates import RateLimiter
from shared.web.routes import has_hot_doors, hot_doors, is_hot, require_safe
from shared.web.streams import Streams
from shared.web.together import GROUP_CONNECTIONS, Groups

# No provider is configured here, and asking each time whether one is costs a tenth of what the rest of a request does.
TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


def routers_of(service: Service) -> Sequence[APIRouter]:
    """Return all that is served of a service: its own routes, and the kit's."""
    return (*service.routers, operations_of(service), task_runs.router, audit_entries.router)


def create_app(
    service: Service, *, database: Database, transport: Transport, verifier: TokenVerifier, options: WebOptions
) -> FastAPI:
    """Serve a service's routes under `/api/<service>`, with problems, traces, limits and health checks."""
    app = routes_of(service)
    app.state.database, app.state.transport, app.state.verifier = database, transport, verifier
    app.state.options, app.state.export_places = options, Places(database.pool_size)
    app.state.callers = RateLimiter(options.requests_per_minute)
    app.state.strangers = RateLimiter(options.failures_per_minute)
    app.state.visitors = RateLimiter(options.visits_per_minute)
    faults.install(app)
    denials.install(app)
    app.state.groups = Groups(database)
    app.state.streams = Streams(database, lasts_seconds=options.stream_seconds)
    hot = hot_doors(app)
    admitted = max(1, database.pool_size - GROUP_CONNECTIONS) if hot else database.pool_size
    app.add_middleware(Gate, admitted=admitted, hot=partial(is_hot, hot), wait_seconds=options.wait_seconds)
    app.add_middleware(BodyLimit)
    app.add_middleware(Traced)
    app.add_middleware(ApiHeaders)  # Around the answer to a fault too.
    app.add_middleware(cross_origin, origins=options.origins)
    queues = Topology.queues_of(service.name)
    add_health(app, {"database": database.ping, "broker": patient(lambda: transport.check(queues))})
    return app


def routes_of(service: Service, *, vendor: Path | None = None) -> FastAPI:
    """Return an app that has a service's routes and their document, and nothing behind them."""
    prefix = f"/api/{service.name}"
    app = FastAPI(
        title=f"Popcandy {service.name}",
        openapi_url=f"{prefix}/openapi.json",
        docs_url=None,
        redoc_url=None,
        telemetry=TELEMETRY,
    )
    for router in sorted(
        routers_of(service), key=has_hot_doors, reverse=True
    ):  # Found first, for addresses are tried in order.
        require_safe(router)
        app.include_router(router, prefix=prefix)
    problems.install(app)
    describe(app, service)
    add_docs_page(app, prefix, vendor=vendor or assets.vendor())
    return app
