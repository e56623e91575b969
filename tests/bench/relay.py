"""From the outbox to the broker's confirms, beside letters that only have to be published."""

import subprocess
import sys
from collections.abc import Collection, Sequence
from contextlib import closing
from functools import partial

import orjson
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from shared import bus
from shared.bus.transport.rabbit import RabbitTransport
from shared.ids import new_id
from tests.bench.contenders import Run, compete, rates
from tests.bench.facts import as_letter, tell
from tests.bench.figures import Figure, Goal, Judged, ratio
from tests.bench.meters import Meter
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.watching import timed
from tests.faults.processes import ROOT

EVENTS = 40_000
ROWS_ONE_IN = 20  # The naive one is given fewer.
EMITTED_AT_ONCE = 1_000
QUEUE = "ledger.inbox"
PEERS = ("relay_rows",)

_LEFT = text("SELECT count(*) FROM outbox")


def measure(places: Places, *, repeat: int, say: Say, events: int = EVENTS, peers: Collection[str] = PEERS) -> Report:
    """Empty an outbox into a quorum queue: ours, these peers, and letters that only have to be published."""
    ours = ("launch.cli", "serve", "activities", "--role", "relay")
    contenders = {"ours": partial(_relay, places, ours, events), "publish_only": partial(_publish, places, events)}
    for name in peers:
        contenders[name] = partial(_relay, places, (f"tests.bench.peers.{name}",), events // ROWS_ONE_IN)
    runs = compete(contenders, repeat=repeat, say=say)
    return Report("relay", runs, _figures(runs))


def _figures(runs: dict[str, list[Run]]) -> list[Figure]:
    ours, bound = runs["ours"], runs["publish_only"]
    cpu_ours, cpu_bound = ([run.cpu["python"] for run in each] for each in (ours, bound))
    figures = [
        ratio("cpu_to_publish_only", cpu_ours, cpu_bound, Goal(1.25, is_ceiling=True, judged=Judged.MEDIAN)),
        ratio("ratio_to_publish_only", rates(ours), rates(bound), Goal(0.85, judged=Judged.MEDIAN)),
    ]
    if "relay_rows" in runs:
        figures.append(ratio("ratio_to_relay_rows", rates(ours), rates(runs["relay_rows"])))
    return figures


def _relay(places: Places, command: Sequence[str], events: int) -> Run:
    """Fill an outbox, start whoever empties it, and time that."""
    url, amqp_url = places.fresh("activities"), places.fresh_vhost()
    told = tell(events, programme_id=new_id(), repeated=False)
    with closing(places.server.open("activities", pool_size=1)) as database:
        for start in range(0, events, EMITTED_AT_ONCE):
            with database.transaction() as tx:
                bus.emit_all(tx, [one.fact for one in told[start : start + EMITTED_AT_ONCE]])
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    environment = {
        "BENCH_AMQP_URL": amqp_url,
        "BENCH_DATABASE_URL": url.render_as_string(hide_password=False),
        "POPCANDY_AMQP_URL": amqp_url,
        "POPCANDY_DATABASE_URL": places.database_url,
    }
    process = places.processes.start(*command, environment=environment)
    try:
        with engine.connect() as connection:
            meter = Meter({"python": process.pid, **places.roots()})
            run = timed(lambda: events - _count(connection), meter, units=events)
    finally:
        process.kill()
    return Run(run.rate, run.cpu, _queued(amqp_url) == events)


def _publish(places: Places, events: int) -> Run:
    """Publish the same letters, of which nobody has to be told and nothing deleted."""
    amqp_url = places.fresh_vhost()
    letters = [as_letter(one) for one in tell(events, programme_id=new_id(), repeated=False)]
    lines = b"\n".join(orjson.dumps((each.routing_key, each.headers, each.body.decode())) for each in letters)
    command = [sys.executable, "-m", "tests.bench.peers.publish_only"]
    environment = {"BENCH_AMQP_URL": amqp_url}
    said = subprocess.run(  # noqa: S603  Our own module.
        command, input=lines, env=environment, cwd=ROOT, check=True, capture_output=True
    )
    found = orjson.loads(said.stdout)
    return Run(found["rate"], {"python": found["cpu_us"]}, _queued(amqp_url) == events)


def _count(connection: Connection) -> int:
    return int(connection.execute(_LEFT).scalar_one())


def _queued(amqp_url: str) -> int:
    """Count what stands in the queue that hears these facts."""
    with closing(RabbitTransport(amqp_url)) as transport:
        return transport.stats(QUEUE).ready
