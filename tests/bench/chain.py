"""From check-outs over HTTP to donations in the ledger: a closed crowd, and every process of the way on this machine.

The clock runs from the first timed request to the last donation that is committed. The naive chain is FastAPI and the
ORM, a relay of single rows, dramatiq and the ORM; it writes the rows that ours writes, in both databases.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.pool import NullPool

from shared.events.activities import AttendanceSettled
from tests.bench import totals
from tests.bench.contenders import Run, compete, rates
from tests.bench.crowd import Crowd, Person, gather
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.http_load import in_turn, post
from tests.bench.meters import Meter, spent
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.roles import await_port, end, start_chain
from tests.bench.watching import reach
from tests.factories.ledger import make_policy_version
from tests.faults.processes import Process
from tests.servers.erlang import free_ports

CLIENTS = 32
REQUESTS = 3_000
WARM_UP = 400
NAIVE_ONE_IN = 3  # The naive one gets fewer requests.

_COUNT = text("SELECT count(*) FROM donation")
_SETTLED = text("""
    SELECT programme_id, id AS attendance_id, version, partner_id, listing_id, shift_id, volunteer_id, started_at,
           service_on, service_minutes, matchable_minutes, evidence
    FROM attendance WHERE state = 'settled'
""")


@dataclass(frozen=True, slots=True)
class Chain:
    """A contender: what starts it and says where its web process listens, and where that takes check-outs."""

    start: Callable[[Places, ExitStack], tuple[str, Mapping[str, Process]]]
    path: str
    one_in: int = 1


def measure(places: Places, *, repeat: int, say: Say, requests: int = REQUESTS) -> Report:
    """Have a crowd check out."""
    contenders = {name: partial(_run, places, chain, requests // chain.one_in) for name, chain in CHAINS.items()}
    runs = compete(contenders, repeat=repeat, say=say)
    return Report("chain", runs, _figures(runs))


def _figures(runs: Mapping[str, Sequence[Run]]) -> list[Figure]:
    return [ratio("ratio_to_naive_chain", rates(runs["ours"]), rates(runs["naive_chain"]), Goal(6))]


def _run(places: Places, chain: Chain, requests: int) -> Run:
    """Start a chain over fresh databases, warm it up to its end, and time what the others make of it."""
    crowd = gather(places, WARM_UP + requests, came=True)
    url = places.fresh("ledger")
    with closing(places.server.open("ledger", pool_size=1)) as database, database.transaction() as tx:
        make_policy_version(tx, programme_id=crowd.programme_id)
    with ExitStack() as stack:
        address, processes = chain.start(places, stack)
        books = stack.enter_context(_connected(url))
        everybody = (_request(address, chain, person, crowd) for person in crowd.mixed)
        _check_out(address, islice(everybody, WARM_UP), books, until=WARM_UP)
        meter = Meter({**{name: process.pid for name, process in processes.items()}, **places.roots()})
        before = meter.read()
        seconds = _check_out(address, everybody, books, until=len(crowd.people))
        cpu = spent(before, meter.read(), units=requests)
        facts = _settled(places)
        is_exact = len(facts) == len(crowd.people) and totals.is_exact(books, facts)
    return Run(requests / seconds, cpu, is_exact)


def _check_out(address: str, requests: Iterable[bytes], books: Connection, *, until: int) -> float:
    """Send them all and wait for so many donations; return the seconds from the first request to the last donation."""
    answered = in_turn(address, requests, clients=CLIENTS)
    assert set(answered.statuses) == {200}, answered.statuses
    return reach(lambda: int(books.execute(_COUNT).scalar_one()), until).at - answered.begun


def _request(address: str, chain: Chain, person: Person, crowd: Crowd) -> bytes:
    """Write a request when it is sent: a code does not live as long as a run."""
    body = f'{{"code":"{crowd.code()}"}}'.encode()
    return post(address, chain.path.format(person.shift_id), person.token, body, volunteer=str(person.volunteer_id))


def _settled(places: Places) -> list[AttendanceSettled]:
    """Read from the attendances themselves what the ledger should have been told."""
    with _connected(places.server.database_url("activities")) as connection:
        rows = connection.execute(_SETTLED).mappings()
        return [AttendanceSettled.model_validate(dict(row)) for row in rows]


def _connected(url: URL) -> Connection:
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()


def _start_naive(places: Places, stack: ExitStack) -> tuple[str, Mapping[str, Process]]:
    amqp_url, [port] = places.fresh_vhost(), free_ports(1)
    web = ("uvicorn", "tests.bench.peers.fastapi_check_out:app", "--port", str(port), "--no-access-log")
    commands = {
        "web": ("activities", web),
        "relay": ("activities", ("tests.bench.peers.relay_actors",)),
        "consumer": ("ledger", ("dramatiq", "tests.bench.peers.dramatiq_orm")),
    }
    started = {}
    for role, (service, command) in commands.items():
        url = places.server.database_url(service).render_as_string(hide_password=False)
        environment = {"BENCH_AMQP_URL": amqp_url, "BENCH_DATABASE_URL": url}
        started[role] = places.processes.start(*command, environment=environment)
        stack.callback(end, started[role])
    return await_port(started["web"], port), started


CHAINS = {
    "ours": Chain(start_chain, "/api/activities/shifts/{}/check-outs"),
    "naive_chain": Chain(_start_naive, "/shifts/{}/check-outs", one_in=NAIVE_ONE_IN),
}
