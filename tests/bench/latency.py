"""From a request to check out to the donation's commit, at a steady rate, over RabbitMQ and with every process apart.

The end is PostgreSQL's own record of the commit that wrote the donation, so nobody polls. Beside it stands what cannot
be less: the commits and the confirm on the way, one after the other, by a loop that does nothing else.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from shared import clock
from shared.bus.transport.rabbit import RabbitTransport
from tests.bench.crowd import Crowd, Person, gather
from tests.bench.facts import as_letter, tell
from tests.bench.figures import Figure, Goal, Judged, Spread
from tests.bench.http_load import Answered, at_a_rate, percentile, post
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.roles import start_chain
from tests.bench.watching import reach
from tests.factories.ledger import make_policy_version

A_SECOND = 50
EVENTS = 3_000
WARM_UP = 500
CLIENTS = 16
COMMITS = 3  # The check-out's, the relay's, the donation's.
BARE_EVENTS = 1_000

_COUNT = text("SELECT count(*) FROM donation")
_COMMITTED = text("""
    SELECT volunteer_id, CAST(extract(epoch FROM pg_xact_commit_timestamp(xmin)) AS float8) AS at FROM donation
""")


def measure(places: Places, *, repeat: int, say: Say, events: int = EVENTS) -> Report:
    """Check people out at a steady rate."""
    places.record_commits()
    halves, tails, bare = [], [], []
    for number in range(repeat):
        took = _run(places, events)
        halves.append(1_000 * percentile(took, 0.5))
        tails.append(1_000 * percentile(took, 0.99))
        bare.append(1_000 * percentile(_bare(places), 0.5))
        say(f"{number + 1}/{repeat}: p50 {halves[-1]:.1f} ms, p99 {tails[-1]:.1f} ms; bare p50 {bare[-1]:.1f} ms")
    median = partial(Goal, is_ceiling=True, judged=Judged.MEDIAN)
    figures = [
        Figure("p50_ms", Spread.of(halves), median(15)),
        Figure("p99_ms", Spread.of(tails), median(80)),
        Figure("bare_p50_ms", Spread.of(bare)),
        Figure("p50_to_bare", Spread.of([one / other for one, other in zip(halves, bare, strict=True)])),
    ]
    return Report("latency", {}, figures)


def _run(places: Places, events: int) -> list[float]:
    """Return the seconds from each request, when it was due, to its donation; those of the warm-up left out."""
    crowd = gather(places, WARM_UP + events, came=True)
    url = places.fresh("ledger")
    with closing(places.server.open("ledger", pool_size=1)) as database, database.transaction() as tx:
        make_policy_version(tx, programme_id=crowd.programme_id)
    with ExitStack() as stack:
        web, _ = start_chain(places, stack)
        begun, answered = clock.now().timestamp() - time.monotonic(), _check_out(web, crowd)
        assert answered.statuses == {200: len(crowd.people)}, answered.statuses
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        connection = stack.enter_context(engine.connect())
        reach(lambda: int(connection.execute(_COUNT).scalar_one()), len(crowd.people))
        committed: Mapping[UUID, float] = {row.volunteer_id: row.at for row in connection.execute(_COMMITTED)}
    due = (begun + answered.begun + number / A_SECOND for number in range(len(crowd.people)))
    took = [committed[person.volunteer_id] - at for person, at in zip(crowd.people, due, strict=True)]
    return took[WARM_UP:]


def _check_out(url: str, crowd: Crowd) -> Answered:
    def request(person: Person) -> bytes:
        path = f"/api/activities/shifts/{person.shift_id}/check-outs"
        return post(url, path, person.token, f'{{"code":"{crowd.code()}"}}'.encode())

    requests = [partial(request, person) for person in crowd.people]
    return at_a_rate(url, requests, a_second=A_SECOND, clients=CLIENTS)


def _bare(places: Places) -> Sequence[float]:
    """Commit, publish, commit, commit: what is left of the way if nobody does anything else."""
    letters = [as_letter(one) for one in tell(BARE_EVENTS, programme_id=UUID(int=1), repeated=False)]
    took = []
    with ExitStack() as stack:
        transport = stack.enter_context(closing(RabbitTransport(places.fresh_vhost())))
        connection: psycopg.Connection[Any] = stack.enter_context(psycopg.connect(places.database_url))
        for letter in letters:
            begun = time.monotonic()
            for number in range(COMMITS):
                connection.execute("SELECT pg_logical_emit_message(true, 'bench', 'x')")
                connection.commit()
                if number == 0:
                    transport.publish([letter])
            took.append(time.monotonic() - begun)
    return took
