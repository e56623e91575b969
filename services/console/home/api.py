"""The first page, put together for whoever is signed in: each part stands or fails by itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.console.home import actions, queries, rules, schemas
from services.console.home.rules import Section
from services.console.home.schemas import PAGES, Part
from services.console.sessions.api import Asking, OwnForm, SignedIn
from services.console.shell import api as shell
from services.console.shell.queries import Api
from services.console.shell.rules import ApiDown, ApiSlow, Problem, Refused
from services.console.shell.schemas import Notice, make_notice, say_fault
from shared import clock

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_home(request: Request, session: SignedIn, api: Asking) -> Response:
    """Show what each of the reader's roles has to look at."""
    parts: list[Part] = []
    slow = False
    for section in rules.sections_of(session.person.roles):
        part, slow = _part_unless(section, api, slow=slow)
        parts.append(part)
    response = shell.page(
        request, "home.html", pages=PAGES, parts=parts, notice=_outcome(request), known_roles=rules.SECTIONS_OF
    )
    shell.forget_outcome(response, shell.HOME)
    return response


@router.get("/parts/{section}")
def show_part(request: Request, section: Section, session: SignedIn, api: Asking) -> Response:
    """Return one part of the first page anew."""
    if section not in rules.sections_of(session.person.roles):
        return shell.missing(request)
    part, _ = _part_unless(section, api, slow=False)
    return shell.page(request, "part.html", pages=PAGES, part=part)


@router.post("/shifts/{shift_id}/sign-up", dependencies=[OwnForm])
def sign_up(request: Request, shift_id: UUID, api: Asking, once: Annotated[str, Form()] = "") -> Response:
    """Take a place, then show how it went: in place for a script, else by way of the first page."""
    take = partial(actions.sign_up, api, shift_id=shift_id, once=once)
    if not shell.is_fragment(request):
        return shell.send_back(request, take, path=shell.HOME)
    notice = None
    try:
        take()
    except Refused as refusal:
        notice = _notice(refusal.problem, api.language)
    part, _ = _part_unless(Section.SHIFTS, api, slow=False)
    return shell.page(request, "part.html", pages=PAGES, part=part if notice is None else _with(part, notice))


def _part_unless(section: Section, api: Api, *, slow: bool) -> tuple[Part, bool]:
    """Read one part, unless an API was too slow before: nobody waits for the same clock twice."""
    if slow:
        return Part(section, {}, say_fault("slow", language=api.language)), True
    try:
        return Part(section, READERS[section](api, clock.now())), False
    except Refused as refusal:
        return Part(section, {}, _notice(refusal.problem, api.language)), False
    except ApiSlow:
        return Part(section, {}, say_fault("slow", language=api.language)), True
    except ApiDown:
        return Part(section, {}, say_fault("down", language=api.language)), False


def _with(part: Part, notice: Notice) -> Part:
    return Part(part.name, part.shown, part.notice or notice)


def _outcome(request: Request) -> Notice | None:
    problem = shell.outcome_of(request, shell.HOME)
    return None if problem is None else _notice(problem, shell.language_of(request))


def _notice(problem: Problem, language: str) -> Notice:
    return make_notice(problem, say=PAGES.speaker(language))


def _shifts(api: Api, now: datetime) -> dict[str, Any]:
    rows = []
    for occasion in rules.coming(queries.list_listings(api), now=now):
        place = queries.find_place(api, occasion.shift.id)
        offer = rules.offer_of(occasion.shift, has_place=place is not None, now=now)
        rows.append(
            schemas.make_row(occasion, language=api.language, offer=offer, place="" if place is None else place.state)
        )
    return {"rows": rows}


def _screens(api: Api, now: datetime) -> dict[str, Any]:
    coming = rules.coming(queries.list_listings(api), now=now)
    return {"rows": [schemas.make_row(occasion, language=api.language) for occasion in coming]}


READERS: Mapping[Section, Callable[[Api, datetime], Mapping[str, Any]]] = {
    Section.SHIFTS: _shifts,
    Section.SCREENS: _screens,
    Section.BALANCE: lambda api, _now: schemas.make_balance(queries.list_balances(api)),
    Section.SUMMARY: lambda api, _now: schemas.make_summary(queries.summarise(api), language=api.language),
    Section.WATERFALL: lambda api, _now: schemas.make_waterfall(queries.sum_waterfall(api), language=api.language),
    Section.ATTENDANCES: lambda api, _now: schemas.make_attendances(
        queries.list_attendances(api), language=api.language
    ),
    Section.POLICIES: lambda api, _now: schemas.make_policies(queries.list_policies(api), language=api.language),
    Section.TRIAL_BALANCE: lambda api, _now: schemas.make_trial_balance(
        queries.prove_balance(api), language=api.language
    ),
    Section.FLOW: lambda api, _now: {"flows": queries.watch_flows(api)},
    Section.IMPORTS: lambda api, _now: schemas.make_imports(queries.list_imports(api), language=api.language),
    Section.AUDIT: lambda api, _now: schemas.make_audit(queries.list_audit_entries(api)),
}
