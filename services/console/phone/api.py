"""The doors of phones and screens: ask the APIs, write a page or send the browser on."""

from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from services.console.phone import actions, queries, rules, schemas
from services.console.phone.schemas import PAGES
from services.console.sessions.api import Asking, OwnForm
from services.console.shell import api as shell
from services.console.shell.queries import Api
from services.console.shell.rules import Refused
from shared import clock

router = APIRouter(include_in_schema=False)

DEVICE, DEVICE_PATH = "popcandy_device", "/c"  # The cookie goes to these pages alone.

Typed = Annotated[str, Form()]


def device_of(request: Request) -> str | None:
    """Return by what the phone is known, if it keeps cookies."""
    return rules.known_device(request.cookies.get(DEVICE))


Device = Annotated[str | None, Depends(device_of)]


@router.get("/shifts/{shift_id}/code")
def show_code(request: Request, shift_id: UUID, api: Asking) -> Response:
    """Fill a partner's screen with the shift's rotating code."""
    shift = queries.get_shift(api, shift_id)
    occasion = schemas.make_occasion(shift, language=api.language)
    return shell.page(request, "code.html", pages=PAGES, occasion=occasion, card=_card(request, shift_id, api))


@router.get("/shifts/{shift_id}/code/card")
def show_card(request: Request, shift_id: UUID, api: Asking) -> Response:
    """Return the part of the screen that changes with the code."""
    return shell.page(request, "card.html", pages=PAGES, card=_card(request, shift_id, api))


@router.get("/c/{shift_id}")
def show_place(request: Request, shift_id: UUID, api: Asking, device: Device, code: str = "") -> Response:
    """Show a volunteer one shift and the one step that comes next; changes nothing but what the phone keeps."""
    shift = queries.get_shift(api, shift_id)
    problem = shell.outcome_of(request, f"/c/{shift_id}")
    place = None
    try:
        place = schemas.make_place(queries.get_place(api, shift_id), shift, language=api.language)
    except Refused as refusal:
        problem = refusal.problem
    response = shell.page(
        request,
        "place.html",
        HTTPStatus.OK if place or problem is None else problem.status,
        pages=PAGES,
        occasion=schemas.make_occasion(shift, language=api.language),
        place=place,
        code=rules.scanned_code(code),
        notice=problem and schemas.make_notice(problem, language=api.language, shift=shift),
    )
    shell.forget_outcome(response, f"/c/{shift_id}")
    if place and place["step"] in rules.SCANS:  # The page says so, beside its button.
        kept = device or actions.new_device()
        shell.keep(request, response, DEVICE, kept, life=rules.DEVICE_KEPT, path=DEVICE_PATH)
    return response


@router.post("/c/{shift_id}/check-in", dependencies=[OwnForm])
def check_in(
    request: Request, shift_id: UUID, api: Asking, device: Device, code: Typed = "", once: Typed = ""
) -> Response:
    """Check the volunteer in, then show how it went."""
    act = partial(actions.check_in, api, shift_id=shift_id, code=code, once=once, device=device)
    return shell.send_back(request, act, path=f"/c/{shift_id}")


@router.post("/c/{shift_id}/check-out", dependencies=[OwnForm])
def check_out(
    request: Request, shift_id: UUID, api: Asking, device: Device, code: Typed = "", once: Typed = ""
) -> Response:
    """Check the volunteer out, then show how it went."""
    act = partial(actions.check_out, api, shift_id=shift_id, code=code, once=once, device=device)
    return shell.send_back(request, act, path=f"/c/{shift_id}")


@router.get("/c/{shift_id}/check-in")
@router.get("/c/{shift_id}/check-out")
def return_to_place(shift_id: UUID) -> Response:
    """Send a browser that restores an old tab back to the page itself."""
    return shell.go(f"/c/{shift_id}")


def _card(request: Request, shift_id: UUID, api: Api) -> schemas.Card:
    code = queries.get_code(api, shift_id)
    return schemas.make_card(code, shift_id=shift_id, console_url=request.app.state.console_url, now=clock.now())
