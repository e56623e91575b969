"""Every list, board and search of activities over five seasons, asked by each who may: how long its reader waits."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import httpx2
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from services.activities.listings.tables import Listing
from services.activities.proposals.rules import State
from services.activities.rounds.tables import Round
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.database.server import Server
from shared.ids import new_id
from shared.roles import Role
from shared.settings import Settings
from tests.activities.openings import season as openings
from tests.bench import multiplied
from tests.bench.figures import Figure, Goal, Judged, Spread
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.roles import await_port, environment_of
from tests.factories import activities, certificates, deliverables, feedback, kits, proposals
from tests.factories.activities import NINE
from tests.servers.erlang import free_ports

COPIES = 4_400  # Of three proposals, and of one activity's three shifts with those who signed up: five seasons.
PROPOSALS, SERVED, MISSED, TOLD = 3, 23, 3, 10
ASKED = 9  # Times; the middle one counts.
BESIDE: Final = {"audit-entries", "imports", "openings"}  # What is to come is searched by itself.
JSON = "application/json"
LISTS, SEARCH = (Goal(bound, is_ceiling=True, judged=Judged.MEDIAN) for bound in (80, 50))
SHOWN = 8  # The slowest ones, by name.
DAYS: Final = {"since": NINE.date(), "until": (NINE + timedelta(days=7)).date(), "partner": 1}

_DIFFER = text("""
    UPDATE feedback SET marks = marks || jsonb_build_object(
        'overall', 1 + abs(hashtext(id::text)) % 5, 'organisation', 1 + abs(hashtext('o' || id)) % 5,
        'meaning', 1 + abs(hashtext('m' || id)) % 5)
""")  # As people do.


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody with a role, and what proves it."""

    role: Role
    token: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked by whom."""

    asker: Asker
    path: str
    asked: Mapping[str, object]

    def __str__(self) -> str:
        return f"{self.path.removeprefix('/api/activities')}?{urlencode(self.asked)} ({self.asker.role})"


def measure(places: Places, *, repeat: int, say: Say, copies: int = COPIES) -> Report:
    """Fill a database, ask everything several times, and tell what is slowest."""
    askers = _fill(places, say, copies)
    [port] = free_ports(1)
    own = {"POPCANDY_LOG_LEVEL": "warning", "POPCANDY_REQUESTS_PER_MINUTE": "1000000"}  # Nobody asks so fast.
    environment = environment_of(places, places.rabbit.amqp_url) | own
    command = ("launch.cli", "serve", "activities", "--role", "web", "--port", str(port))
    process = places.processes.start(*command, environment=environment)
    try:
        with httpx2.Client(base_url=await_port(process, port), timeout=60, trust_env=False) as http:
            questions = [question for asker in askers for question in _questions(http, asker)]
            say(f"{len(questions)} questions")
            took = [{str(question): _ask(http, question) for question in questions} for _ in range(repeat)]
    finally:
        process.kill()
    return _report(took, [_search(places) for _ in range(repeat)])


def _search(places: Places) -> Mapping[str, float]:
    """Search as many openings as five seasons have; return milliseconds by what was asked."""
    server = Server(places.postgres.url, prefix="search_")
    server.drop("activities")
    server.prepare("activities")
    with closing(server.open("activities", pool_size=1)) as database, database.transaction() as tx:
        return openings.waits(tx, openings.fill(tx))


def _report(took: Sequence[Mapping[str, float]], searched: Sequence[Mapping[str, float]]) -> Report:
    medians = {name: median(each[name] for each in took) for name in took[0]}
    slowest = sorted(medians, key=lambda name: -medians[name])
    worst = [1_000 * max(each.values()) for each in took]
    middle = [1_000 * median(each.values()) for each in took]
    figures = [
        Figure("slowest_list_ms", Spread.of(worst), LISTS),
        Figure("middle_list_ms", Spread.of(middle)),
        Figure("slowest_search_ms", Spread.of([max(each.values()) for each in searched]), SEARCH),
        Figure("middle_search_ms", Spread.of([median(each.values()) for each in searched])),
    ]
    listed = ", ".join(f"`{name}` {1_000 * medians[name]:.0f}" for name in slowest[:SHOWN])
    note = f"The slowest of {len(medians)} questions, in milliseconds: {listed}."
    return Report("boards", {}, figures, notes=[note], more={"list_ms": {n: 1_000 * medians[n] for n in slowest}})


def _ask(http: httpx2.Client, question: Question) -> float:
    """Ask several times; return the seconds in the middle."""
    seconds = []
    for _ in range(ASKED):
        begun = time.monotonic()
        answer = _get(http, question)
        seconds.append(time.monotonic() - begun)
        assert answer.status_code == httpx2.codes.OK, f"{question}: {answer.text}"
    return median(seconds)


def _get(http: httpx2.Client, question: Question) -> httpx2.Response:
    headers = {"authorization": f"Bearer {question.asker.token}"}
    return http.get(question.path, params={name: str(value) for name, value in question.asked.items()}, headers=headers)


def _questions(http: httpx2.Client, asker: Asker) -> Iterator[Question]:
    """Ask each list that this person may read as it comes, in each order, deep, and by each of its filters."""
    document = http.get("/api/activities/openapi.json").json()
    for path, operations in document["paths"].items():
        operation = operations.get("get")
        if operation is None or "{" in path or path.rpartition("/")[2] in BESIDE:
            continue
        parameters = {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"}
        first = Question(asker, path, {name: DAYS[name] for name in parameters.keys() & DAYS.keys()})
        answer = _get(http, first)
        if answer.status_code == httpx2.codes.OK and answer.headers["content-type"] == JSON:
            yield first
            yield from _variants(first, parameters, answer.json())


def _variants(first: Question, parameters: Mapping[str, Any], page: Mapping[str, Any]) -> Iterator[Question]:
    orders = parameters.get("sort", {}).get("schema", {}).get("enum", ())
    yield from (_with(first, sort=order) for order in orders)
    if page.get("next"):
        yield _with(first, cursor=page["next"])
    items = page.get("items") or [{}]
    middle = items[len(items) // 2]
    known = {name: middle[name] for name in parameters.keys() & middle.keys() if middle[name] is not None}
    yield from (_with(first, **{name: value}) for name, value in sorted(known.items()))


def _with(question: Question, **more: object) -> Question:
    return Question(question.asker, question.path, {**question.asked, **more})


def _fill(places: Places, say: Say, copies: int) -> list[Asker]:
    """Put one of everything into a programme, and copy it; return who asks."""
    url = places.fresh("activities")
    programme_id = new_id()
    with closing(places.server.open("activities", pool_size=1)) as database, database.transaction() as tx:
        person_id, partner_id = put_one_of_everything(tx, programme_id)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        rows = multiplied.multiply(connection, times=copies)
        connection.execute(_DIFFER)
    say(f"{sum(rows.values()):,} rows, of them " + ", ".join(f"{n:,} {name}" for name, n in rows.items() if n > copies))
    issuer, now = EmbeddedIssuer(places.processes.folder, Settings()), clock.now()

    def token(role: Role, **who: UUID) -> Asker:
        whose = {"person_id": new_id(), **who}
        return Asker(role, issuer.issue(programme_id=programme_id, roles=[role], now=now, **whose))

    staff = (Role.OPERATOR, Role.REVIEWER, Role.AUDITOR)
    own = token(Role.VOLUNTEER, person_id=person_id), token(Role.PARTNER, partner_id=partner_id)
    return [*(token(role) for role in staff), *own]


def put_one_of_everything(tx: Session, programme_id: UUID) -> tuple[UUID, UUID]:
    """Have proposals, and what comes of one of them; return somebody who served, and the partner."""
    proposal = proposals.make_proposal(tx, state=State.APPROVED, programme_id=programme_id)
    for number in range(1, PROPOSALS):
        title = f"{proposal.title} {number}"
        proposals.make_proposal(
            tx,
            state=State.REJECTED,
            call=tx.get_one(Round, proposal.round_id),
            partner_id=proposal.partner_id,
            title=title,
        )
    listing = activities.make_listing(tx, programme_id=programme_id, partner_id=proposal.partner_id)
    shift = activities.make_shift(tx, listing=listing, capacity=2 * SERVED)
    people = [activities.make_sign_up(tx, shift).volunteer_id for _ in range(SERVED)]
    served = [activities.make_settled(tx, shift, volunteer_id=person) for person in people]
    for _ in range(MISSED):
        activities.make_claim(tx, activities.make_sign_up(tx, shift, state="missed"), shift=shift)
    activities.make_incident(tx, shift=shift)
    activities.make_walk_in(tx, shift, volunteer_id=activities.make_volunteer(tx, programme_id=programme_id).id)
    for attendance in served[:TOLD]:
        feedback.make_feedback(tx, attendance)
    certificates.make_certificate(tx, served[0])
    work = deliverables.make_work_shift(tx, programme_id=programme_id, partner_id=listing.partner_id)
    deliverables.make_submitted(tx, shift=work, place=activities.make_sign_up(tx, work))
    craft = kits.make_craft_shift(
        tx, listing=tx.get_one(Listing, listing.id), number=2, starts_at=activities.NOON, ends_at=activities.at(14)
    )
    lost = kits.make_kit(tx, place=activities.make_sign_up(tx, craft), state="lost")
    kits.make_kit_cost(tx, lost)
    return served[0].volunteer_id, listing.partner_id
