"""From a queue to the books: facts that become donations, entries and balances, each once.

All contenders read the same facts from their queue and write the same rows: mark, donation, entry, two legs, balances.
A ledger of others posts the same amounts in a database of its own. The bound is PostgreSQL's COPY of the rows that we
wrote, without a broker, a decision or a roll-up.
"""

import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import orjson
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from shared.bus.transport import Outcome
from shared.bus.transport.rabbit import RabbitTransport
from shared.ids import new_id
from tests.bench import bookkeepers, totals
from tests.bench.bounds import Copied
from tests.bench.contenders import Run, compete, rates
from tests.bench.facts import Told, as_letter, tell, unique
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import Meter
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.roles import end
from tests.bench.watching import timed
from tests.factories.ledger import make_policy_version
from tests.faults.processes import ROOT

EVENTS = 40_000
PUBLISHED_AT_ONCE = 2_000

_COUNT = text("SELECT count(*) FROM inbox")
GOALS = {
    "dramatiq_orm": Goal(20),
    "dramatiq_statement": Goal(10),
    "celery_orm": Goal(30),
    "celery_batches": Goal(1.3),
    "faststream_orm": None,
    "hordak": None,
    "copy_bound": Goal(0.5),
}


@dataclass(frozen=True, slots=True)
class Worker:
    """A contender that takes messages from a queue: how they come there, and what command takes them."""

    command: tuple[str, ...]
    send: Callable[[str, Sequence[Told]], None]
    one_in: int = 1  # A slow one is given fewer facts; rates do not depend on that.


def _to_us(amqp_url: str, told: Sequence[Told]) -> None:
    """Publish as our relay does."""
    with closing(RabbitTransport(amqp_url)) as transport:
        for start in range(0, len(told), PUBLISHED_AT_ONCE):
            batch = told[start : start + PUBLISHED_AT_ONCE]
            once = {one.event_id: one for one in batch}
            again = [one for number, one in enumerate(batch) if one in batch[:number]] if len(once) < len(batch) else []
            for letters in ([*once.values()], again):
                outcomes = transport.publish([as_letter(one) for one in letters])
                assert set(outcomes.values()) <= {Outcome.CONFIRMED}


def _to_peer(peer: str, amqp_url: str, told: Sequence[Told]) -> None:
    """Have the peer's own client send."""
    lines = b"\n".join(orjson.dumps((str(one.event_id), one.body)) for one in told)
    command = [sys.executable, "-m", "tests.bench.peers.sending", peer]
    environment = _environment(amqp_url)
    subprocess.run(command, input=lines, env=environment, cwd=ROOT, check=True)  # noqa: S603  Our own module.


def _environment(amqp_url: str, **more: str) -> dict[str, str]:
    return {"BENCH_AMQP_URL": amqp_url, **more}


def _peer(name: str, *command: str, one_in: int) -> Worker:
    return Worker(tuple(part.format(f"tests.bench.peers.{name}") for part in command), partial(_to_peer, name), one_in)


_CELERY = ("celery", "-A", "{}", "worker", "--loglevel", "WARNING")
WORKERS = {
    "ours": Worker(("launch.cli", "serve", "ledger", "--role", "consumer"), _to_us),
    "celery_batches": _peer("celery_batches", *_CELERY, one_in=2),
    "dramatiq_statement": _peer("dramatiq_statement", "dramatiq", "{}", one_in=10),
    "dramatiq_orm": _peer("dramatiq_orm", "dramatiq", "{}", one_in=20),
    "celery_orm": _peer("celery_orm", *_CELERY, one_in=40),
    "faststream_orm": _peer("faststream_orm", "faststream", "run", "{}:app", one_in=40),
}


BOOKKEEPERS = {"hordak": 40}  # Ledgers without a broker; one in so many facts is theirs.
PEERS = [*(name for name in WORKERS if name != "ours"), *BOOKKEEPERS]


def measure(places: Places, *, repeat: int, say: Say, events: int = EVENTS, peers: Collection[str] = PEERS) -> Report:
    """Let ours, these peers and the bound post the same facts."""
    copied = Copied(places)
    contenders = {"ours": partial(_run, places, WORKERS["ours"], events, copied.take)}
    for name in peers:
        contenders[name] = (
            partial(bookkeepers.run, places, name, events // BOOKKEEPERS[name])
            if name in BOOKKEEPERS
            else partial(_run, places, WORKERS[name], events)
        )
    runs = compete(contenders | {"copy_bound": copied.run}, repeat=repeat, say=say)
    return Report("ledger", runs, _figures(runs))


def _figures(runs: Mapping[str, Sequence[Run]]) -> list[Figure]:
    ours = rates(runs["ours"])
    return [ratio(f"ratio_to_{name}", ours, rates(runs[name]), goal) for name, goal in GOALS.items() if name in runs]


def _run(places: Places, worker: Worker, events: int, keep: Callable[[URL], None] | None = None) -> Run:
    """Fill the queue, start the worker, and time it from the end of its warm-up to the last fact."""
    url = places.fresh("ledger")
    programme_id = new_id()
    with closing(places.server.open("ledger", pool_size=1)) as database, database.transaction() as tx:
        make_policy_version(tx, programme_id=programme_id)
    told = tell(events // worker.one_in, programme_id=programme_id)
    amqp_url = places.fresh_vhost()
    worker.send(amqp_url, told)
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    environment = _environment(
        amqp_url,
        BENCH_DATABASE_URL=url.render_as_string(hide_password=False),
        POPCANDY_AMQP_URL=amqp_url,
        POPCANDY_DATABASE_URL=places.database_url,
    )
    process = places.processes.start(*worker.command, environment=environment)
    try:
        with engine.connect() as connection:
            meter = Meter({"python": process.pid, **places.roots()})
            run = timed(lambda: int(connection.execute(_COUNT).scalar_one()), meter, units=events // worker.one_in)
            is_exact = totals.is_exact(connection, unique(told))
    finally:
        end(process)
    if keep is not None:
        keep(url)
    return Run(run.rate, run.cpu, is_exact)
