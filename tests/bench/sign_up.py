"""A thousand people want one activity at the same time: each of its places is given once, the rest stand in line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.ids import new_id, new_ids
from shared.roles import Role
from shared.settings import Settings
from tests.bench.contenders import Run, compete, rates
from tests.bench.crowd import register
from tests.bench.figures import Figure, Goal, Spread, ratio
from tests.bench.http_load import Answered, in_turn, post
from tests.bench.meters import Meter, spent
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.roles import await_port, environment_of
from tests.factories.activities import make_listing, make_shift
from tests.servers.erlang import free_ports

PEOPLE, CAPACITY = 1_000, 100
PEER = "tests.bench.peers.fastapi_sign_up"
SHIFTS = 4  # That are sold out one after the other, after one to warm up with.
IN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Seller:
    """A contender: what starts it, and where it takes sign-ups."""

    command: tuple[str, ...]
    path: str


SELLERS = {
    "ours": Seller(("launch.cli", "serve", "activities", "--role", "web"), "/api/activities/shifts/{}/sign-ups"),
    "fastapi_orm": Seller(
        ("uvicorn", "tests.bench.peers.fastapi_sign_up:app", "--no-access-log"), "/shifts/{}/sign-ups"
    ),
}


@dataclass(frozen=True, slots=True)
class Rush:
    """Shifts that are published, and who wants to be on each of them, with their tokens."""

    shift_ids: Sequence[UUID]
    people: Sequence[tuple[UUID, str]]


def measure(places: Places, *, repeat: int, say: Say) -> Report:
    """Have a thousand people sign up for one shift after the other."""
    tails: dict[str, list[float]] = {name: [] for name in SELLERS}
    contenders = {name: partial(_run, places, seller, tails[name]) for name, seller in SELLERS.items()}
    runs = compete(contenders, repeat=repeat, say=say)
    by_name = {name: rates(each) for name, each in runs.items()}
    figures = [
        ratio("ratio_to_fastapi_orm", by_name["ours"], by_name["fastapi_orm"], Goal(3)),
        ratio("p99_to_fastapi_orm", tails["ours"], tails["fastapi_orm"], Goal(1, is_ceiling=True)),
        Figure("p99_ms", Spread.of([1_000 * each for each in tails["ours"]])),
    ]
    return Report("sign-up", runs, figures)


def _run(places: Places, seller: Seller, tails: list[float]) -> Run:
    """Start a web process over a fresh database and sell all shifts out; the first is not timed."""
    rush = _gather(places)
    url = places.server.database_url("activities")
    [port] = free_ports(1)
    environment = {
        **environment_of(places, places.rabbit.amqp_url),
        "BENCH_DATABASE_URL": url.render_as_string(hide_password=False),
        "POPCANDY_LOG_LEVEL": "info",
    }
    process = places.processes.start(*seller.command, "--port", str(port), environment=environment)
    try:
        address = await_port(process, port)
        first, *others = rush.shift_ids
        in_turn(address, _wishes(address, seller, rush, [first]), clients=PEOPLE)
        meter = Meter({"python": process.pid, **places.roots()})
        before = meter.read()
        answered = in_turn(address, list(_wishes(address, seller, rush, others)), clients=PEOPLE)
        cpu = spent(before, meter.read(), units=len(answered.seconds))
    finally:
        process.kill()
    tails.append(answered.percentile(0.99))
    return Run(answered.rate, cpu, _is_exact(places, rush, answered))


def _wishes(address: str, seller: Seller, rush: Rush, shift_ids: Sequence[UUID]) -> Iterator[bytes]:
    for shift_id in shift_ids:
        for volunteer_id, token in rush.people:
            yield post(address, seller.path.format(shift_id), token, b"", volunteer=str(volunteer_id))


def _is_exact(places: Places, rush: Rush, answered: Answered) -> bool:
    """Say whether everybody was answered, and each shift has given its places once, and no more."""
    with closing(places.server.open("activities", pool_size=1)) as database, database.transaction() as tx:
        rows = tx.execute(select(SignUp.shift_id, SignUp.state, func.count()).group_by(SignUp.shift_id, SignUp.state))
        found = Counter({(shift_id, state): number for shift_id, state, number in rows})
        taken = Counter(tx.scalars(select(Shift.taken)))
    expected = {
        (shift_id, state): number
        for shift_id in rush.shift_ids
        for state, number in (("confirmed", CAPACITY), ("waitlisted", PEOPLE - CAPACITY))
    }
    return answered.statuses == {201: SHIFTS * PEOPLE} and found == expected and taken == {CAPACITY: SHIFTS + 1}


def _gather(places: Places) -> Rush:
    """Publish shifts on different days in a fresh database, and register everybody."""
    places.fresh("activities")
    programme_id, people = new_id(), new_ids(PEOPLE)
    issuer = EmbeddedIssuer(places.processes.folder, Settings())
    with closing(places.server.open("activities", pool_size=1)) as database, database.transaction() as tx:
        register(tx, people, programme_id=programme_id, at=clock.now())
        shift_ids = [_publish(tx, programme_id, day).id for day in range(SHIFTS + 1)]
    now, roles = clock.now(), (Role.VOLUNTEER,)
    tokens = [issuer.issue(person_id=i, programme_id=programme_id, roles=roles, now=now) for i in people]
    return Rush(shift_ids, list(zip(people, tokens, strict=True)))


def _publish(tx: Session, programme_id: UUID, day: int) -> Shift:
    starts_at = clock.now() + IN + timedelta(days=day)
    return make_shift(
        tx, listing=make_listing(tx, programme_id=programme_id), starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3), service_on=starts_at.date(), capacity=CAPACITY,
    )  # fmt: skip
