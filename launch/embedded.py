"""Every service in one process, over a private PostgreSQL: nothing to install, nothing else to start."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from launch.announced import Address, announce, withdraw
from launch.background import POOL
from launch.folders import require_usable
from launch.oidc import app as oidc
from launch.oidc import assembly
from launch.oidc.clients import CONSOLE, client_id_of
from launch.roles.consumer import start_hearing
from launch.roles.relay import start_relays
from launch.roles.worker import pool_of, start_tasks
from launch.services import SERVICES
from launch.web import FrontDoor, WebServer
from launch.workers import Crew
from services.console import main as console
from shared import clock, telemetry
from shared.auth import certificate_keys
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.sealing import seals_of
from shared.auth.service_tokens import Credentials, ServiceTokens
from shared.auth.signatures import secret_of, signatures_of
from shared.auth.tokens import TokenVerifier
from shared.bus.tasks.sweeping import count_open
from shared.bus.tasks.workers import LocalBroker, LocalTasks
from shared.bus.timers import fire
from shared.bus.topology import Topology
from shared.bus.transport.postgres import PostgresTransport
from shared.database.binaries import EmbeddedServerFailed
from shared.database.embedded import EmbeddedServer
from shared.database.server import Server
from shared.database.sessions import APART_POOL, Database
from shared.errors import Hindrance
from shared.ids import new_id
from shared.names import Names
from shared.privacy import retention, suppression
from shared.roles import Role
from shared.service import Service
from shared.settings import Settings
from shared.web.app import create_app
from shared.web.options import options_of

HOST = "127.0.0.1"
BROKER_POOL = 4 * len(SERVICES) + 4  # For each service three queues, each of which holds one, and a relay.
IDLE_SECONDS = 0.02
IDLE_WITHIN_SECONDS = 120.0

_DUE = text("SELECT count(*) FROM outbox WHERE due_at IS NULL OR due_at <= :now")

log = telemetry.get_logger()


class NotIdle(Hindrance):
    """The platform still had work in hand when the time was up."""


class EmbeddedPlatform:
    """A platform over one folder. Make it with `start`; everything that it holds is in the folder."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Prepare to run in `folder`, which is made if it is missing. Raises UnusableFolder, IssuerForbidden."""
        self.folder = require_usable(folder)
        self.settings = settings
        self.crew = Crew()
        retention.require_valid(settings.retention_days)
        self.postgres = EmbeddedServer(self.folder)
        self.issuer = EmbeddedIssuer(self.folder, settings)
        suppression.use([secret_of(self.folder)])
        certificate_keys.use(certificate_keys.seeds_of(self.folder))
        self.signatures = signatures_of(self.folder)
        self.programme_id = _programme(self.folder)
        self._is_announced = False
        self._to_api: httpx2.Client | None = None
        self._names: list[Names] = []
        self._databases: list[Database] = []
        self._background: dict[str, Database] = {}

    def start(self, *, port: int = 0, console_port: int = 0) -> Address:
        """Start everything and return where it is; 0 takes a free port. Raises EmbeddedServerFailed, PortTaken."""
        api, pages = WebServer(host=HOST, port=port), WebServer(host=HOST, port=console_port)
        self.postgres.begin()
        for service in SERVICES:
            service.load()  # While the server starts.
        self.postgres.wait_until_it_answers()
        withdraw(self.folder)  # Left by one that was killed.
        self.crew.start("postgres", self.postgres.watch)
        self.server = Server(self.postgres.url)
        self.transport = self._broker()
        self.provider = assembly.provider_of(
            assembly.Home(self.folder, self.programme_id, self.issuer, self.signatures),
            api_url=api.url, console_url=pages.url, services=[service.name for service in SERVICES],
        )  # fmt: skip
        apps = {service.name: self._run(service, api_url=api.url) for service in SERVICES}
        self.crew.start("api", api.serving(FrontDoor(apps, beside={assembly.PATH: oidc.create_app(self.provider)})))
        self._to_api = console.connect(api.url)
        sign_in = console.SignIn(
            self.provider.url, CONSOLE, seals_of(self.folder), self.provider.clients[CONSOLE].secret
        )  # fmt: skip
        app = console.create_app(self._to_api, console_url=pages.url, sign_in=sign_in)
        self.crew.start("console", pages.serving(app))
        address = Address(api.url, pages.url, os.getpid())
        announce(self.folder, address)
        self._is_announced = True
        log.info("platform.started", folder=str(self.folder), **asdict(address))
        return address

    def stop(self) -> None:
        """Finish what is in hand and end; calling it again does nothing."""
        self.crew.finish()
        if self._is_announced:  # Else it is the announcement of another that runs here.
            withdraw(self.folder)
        if self._to_api is not None:
            self._to_api.close()
        for names in self._names:
            names.close()
        for database in self._databases:
            database.close()
        self.postgres.stop()

    def token(self, *roles: Role, person_id: UUID | None = None, partner_id: UUID | None = None) -> str:
        """Sign a token for a person of this platform's programme; without `person_id` for somebody new."""
        return self.issuer.issue(
            person_id=person_id or new_id(),
            programme_id=self.programme_id,
            roles=roles,
            partner_id=partner_id,
            now=clock.now(),
        )

    def tokens_of(self, service: str) -> ServiceTokens:
        """Return a service's own tokens, from the provider behind the same front door."""
        client = self.provider.clients[client_id_of(service)]
        return ServiceTokens(lambda: f"{self.provider.url}/token", Credentials(client.id, SecretStr(client.secret)))

    @property
    def most_connections(self) -> int:
        """How many of its server's connections it can hold at once, when all its pools are full."""
        return sum(database.pool_size + APART_POOL for database in self._databases)

    def fire(self, *names: str) -> None:
        """Run timers at the clock's present instant, beside their schedules, and wait until all tasks are done.

        For whoever travels in time: schedules are armed for the time in which the platform was started. Raises NotIdle.
        """
        timers = {timer.name: (service.name, timer) for service in SERVICES for timer in service.timers}
        for service, timer in (timers[name] for name in names):
            with self._background[service].transaction() as tx:
                fire(tx, timer, [clock.now()])
        self._until_none(self._tasks_open, seconds=IDLE_WITHIN_SECONDS)

    def until_idle(self, *, seconds: float = IDLE_WITHIN_SECONDS) -> None:
        """Wait until every event is handled and all work is done. Raises NotIdle if nothing moves for `seconds`."""
        self._until_none(self._events_waiting, seconds=seconds)

    def _until_none(self, count: Callable[[], int], *, seconds: float) -> None:
        """Wait until nothing is counted any more. Raises NotIdle if the count does not fall for `seconds`."""
        least = count()
        deadline = time.monotonic() + seconds
        while least:
            self.crew.stop.wait(IDLE_SECONDS)
            if self.crew.failed:
                raise NotIdle(f"worker {self.crew.failed} has failed; see the log")
            waiting = count()
            if waiting < least:
                least, deadline = waiting, time.monotonic() + seconds
            if time.monotonic() > deadline:
                raise NotIdle(f"{waiting} events or tasks still wait, and none has moved for {seconds:.0f} s")

    def _tasks_open(self) -> int:
        """Count what workers have still to do."""
        found = 0
        for database in self._background.values():
            with database.transaction() as tx:
                found += count_open(tx)
        return found

    def _events_waiting(self) -> int:
        """Count events in outboxes first and in queues second: one on its way from here to there is seen in either."""
        waiting = 0
        for database in self._background.values():
            with database.transaction() as tx:
                waiting += tx.execute(_DUE, {"now": clock.now()}).scalar_one()
                waiting += count_open(tx)
        for service in SERVICES:
            stats = self.transport.stats(service.subscriptions.queue)
            waiting += stats.ready + (stats.unacked or 0)
        return waiting

    def _broker(self) -> PostgresTransport:
        self.server.prepare("bus")
        transport = PostgresTransport(self._open("bus", BROKER_POOL))
        transport.define(Topology.load())
        return transport

    def _run(self, service: Service, *, api_url: str) -> FastAPI:
        """Start what a service does behind its doors, and return its web app."""
        self.server.prepare(service.name)
        self._start_background(service)
        verifier = TokenVerifier(
            self.issuer.key_store(),
            issuer=self.provider.url,
            audience=self.settings.audience,
            other_names=[self.settings.issuer],  # As in tokens of `./popcandy token`, which know no address.
        )
        database = self._open(service.name, self.settings.pool_size, self.settings.request_seconds)
        names = Names(api_url, self.tokens_of(service.name))
        self._names.append(names)
        options = options_of(self.settings, self.signatures, names=names)
        return create_app(service, database=database, transport=self.transport, verifier=verifier, options=options)

    def _start_background(self, service: Service) -> None:
        database, broker = self._open(service.name, POOL), LocalBroker()
        self._background[service.name] = database
        start_relays(service, database, self.crew, transport=self.transport, workers=LocalTasks(broker))
        start_hearing(service, database, self.crew, transport=self.transport)
        if service.has_work:
            threads = self.settings.worker_threads
            own = self._open(service.name, pool_of(threads))
            start_tasks(service, own, self.crew, broker=broker, threads=threads, alone=True)

    def _open(self, service: str, pool_size: int, transaction_seconds: int = 0) -> Database:
        database = self.server.open(service, pool_size=pool_size, transaction_seconds=transaction_seconds)
        self._databases.append(database)
        return database


def _programme(folder: Path) -> UUID:
    """Return the id of the folder's own programme, made at first use; the partners service will know many."""
    path = folder / "programme"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(str(new_id()))
        draft.replace(path)
    try:
        return UUID(path.read_text().strip())
    except ValueError as error:
        raise EmbeddedServerFailed(f"{path} does not hold the id of a programme") from error
