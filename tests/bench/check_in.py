"""Checking in over HTTP: 32 clients, each with one request on its way, one web process."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.bench.contenders import Run, compete, rates
from tests.bench.crowd import Crowd, Person, gather
from tests.bench.figures import Figure, Goal, Spread, ratio
from tests.bench.http_load import Answered, get, in_turn, post
from tests.bench.meters import Meter, spent
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.roles import await_port, environment_of
from tests.servers.erlang import free_ports

CLIENTS = 32
REQUESTS = 4_000  # So few that a code lives as long as a run.
WARM_UP = 400
BURST = 10_000  # A town at nine o'clock, whose phones nobody has seen before: to be let in within a minute.
BURST_CLIENTS = 500

_COUNT = text("SELECT count(*) FROM attendance")

GOALS = {"fastapi_orm": Goal(4), "fastapi_statement": Goal(3), "kit_constant": Goal(0.6)}
PAGE = "/api/activities/shifts/{}/attendance/mine"


@dataclass(frozen=True, slots=True)
class Web:
    """A contender: what starts it, where it takes check-ins, and what everybody's phone has asked for before."""

    module: str
    path: str
    page: str = ""
    writes: bool = True
    one_in: float = 1  # A slow one gets fewer requests.
    clients: int = CLIENTS


PEER = "/shifts/{}/check-ins"
OURS = "/api/activities/shifts/{}/check-ins"
WEBS = {
    "ours": Web("", OURS, PAGE),
    "fastapi_orm": Web("tests.bench.peers.fastapi_orm", PEER, one_in=2),
    "fastapi_statement": Web("tests.bench.peers.fastapi_statement", PEER, one_in=2),
    "fastapi_constant": Web("tests.bench.peers.fastapi_constant", PEER, writes=False),
    "kit_constant": Web("tests.bench.kit_constant", OURS, PAGE, writes=False),
    "kit_new_tokens": Web("tests.bench.kit_constant", OURS, writes=False),
    "burst": Web("", OURS, one_in=REQUESTS / BURST, clients=BURST_CLIENTS),
}


PEERS = [name for name in WEBS if name != "ours"]


def measure(
    places: Places, *, repeat: int, say: Say, requests: int = REQUESTS, peers: Collection[str] = PEERS
) -> Report:
    """Have a crowd check in with ours and with these peers."""
    webs = {name: web for name, web in WEBS.items() if name in {"ours", *peers}}
    tails: dict[str, list[float]] = {name: [] for name in webs}
    contenders: Mapping[str, Callable[[], Run]] = {
        name: partial(_run, places, web, round(requests / web.one_in), tails[name]) for name, web in webs.items()
    }
    runs = compete(contenders, repeat=repeat, say=say)
    return Report("check-in", runs, _figures(runs, tails))


def _figures(runs: Mapping[str, Sequence[Run]], tails: Mapping[str, Sequence[float]]) -> list[Figure]:
    by_name = {name: rates(each) for name, each in runs.items()}
    ours = by_name["ours"]
    figures = [ratio(f"ratio_to_{name}", ours, by_name[name], goal) for name, goal in GOALS.items() if name in by_name]
    if by_name.keys() >= {"kit_constant", "fastapi_constant", "kit_new_tokens"}:
        kit, bare = by_name["kit_constant"], by_name["fastapi_constant"]
        figures.append(ratio("kit_to_bare_constant", kit, bare, Goal(0.55)))
        figures.append(ratio("kit_new_tokens_to_kit", by_name["kit_new_tokens"], kit))
    if "fastapi_orm" in tails:
        figures.append(ratio("p99_to_fastapi_orm", tails["ours"], tails["fastapi_orm"], Goal(2, is_ceiling=True)))
    if "burst" in by_name:
        seconds = [BURST / each for each in by_name["burst"]]
        figures.append(Figure("burst_seconds", Spread.of(seconds), Goal(60, is_ceiling=True)))
    return [*figures, Figure("p99_ms", Spread.of([1_000 * each for each in tails["ours"]]))]


def _run(places: Places, web: Web, requests: int, tails: list[float]) -> Run:
    """Start a web process over a fresh database and have everybody check in once."""
    crowd = gather(places, WARM_UP + requests, came=False)
    url = places.server.database_url("activities")
    [port] = free_ports(1)
    environment = {
        **environment_of(places, places.rabbit.amqp_url),
        "BENCH_DATABASE_URL": url.render_as_string(hide_password=False),
        "POPCANDY_LOG_LEVEL": "info",
    }
    command = _command(web, port)
    process = places.processes.start(*command, environment=environment)
    try:
        address = await_port(process, port)
        if web.page:
            opened = in_turn(address, [_open(address, web, person) for person in crowd.people], clients=CLIENTS)
            assert opened.statuses == {200: len(crowd.people)}, opened.statuses
        everybody = (_request(address, web, person, crowd) for person in crowd.people)
        in_turn(address, islice(everybody, WARM_UP), clients=CLIENTS)
        meter = Meter({"python": process.pid, **places.roots()})
        before = meter.read()
        answered = in_turn(address, list(everybody), clients=web.clients)
        cpu = spent(before, meter.read(), units=requests)
    finally:
        process.kill()
    tails.append(answered.percentile(0.99))
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        written = connection.execute(_COUNT).scalar_one()
    return Run(answered.rate, cpu, _is_exact(answered, requests) and written == len(crowd.people) * web.writes)


def _command(web: Web, port: int) -> tuple[str, ...]:
    if not web.module:
        return ("launch.cli", "serve", "activities", "--role", "web", "--port", str(port))
    return ("uvicorn", f"{web.module}:app", "--port", str(port), "--no-access-log")


def _request(address: str, web: Web, person: Person, crowd: Crowd) -> bytes:
    body = f'{{"code":"{crowd.code()}"}}'.encode()
    return post(address, web.path.format(person.shift_id), person.token, body, volunteer=str(person.volunteer_id))


def _open(address: str, web: Web, person: Person) -> bytes:
    """Ask for how a person stands with the shift, as the page with the code's field does."""
    return get(address, web.page.format(person.shift_id), person.token)


def _is_exact(answered: Answered, requests: int) -> bool:
    return answered.statuses == {201: requests}
