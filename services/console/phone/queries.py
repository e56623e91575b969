"""What the pages read from the services' APIs."""

from uuid import UUID

from pydantic import TypeAdapter

from services.console.phone.rules import Code, Place, Shift
from services.console.shell.queries import Api, get, post

_SHIFT = TypeAdapter(Shift)
_CODE = TypeAdapter(Code)
_PLACE = TypeAdapter(Place)


def get_shift(api: Api, shift_id: UUID) -> Shift:
    """Return a shift. Raises Refused, SignInNeeded, ApiDown, ApiSlow, as does all that asks an API."""
    return get(api, _path(shift_id), _SHIFT)


def get_code(api: Api, shift_id: UUID) -> Code:
    """Return the code that the shift shows now, to its partner."""
    return get(api, _path(shift_id, "code"), _CODE)


def get_place(api: Api, shift_id: UUID) -> Place:
    """Return the asking volunteer's own place on the shift."""
    return get(api, _path(shift_id, "attendance/mine"), _PLACE)


def post_code(api: Api, shift_id: UUID, door: str, *, code: str, once: str, device: str | None = None) -> None:
    """Hand a code to one of the shift's two doors, `check-ins` or `check-outs`, and the device if it is known."""
    known = {} if device is None else {"device": device}
    post(api, _path(shift_id, door), {"code": code} | known, once=once)


def _path(shift_id: UUID, below: str = "") -> str:
    return f"/api/activities/shifts/{shift_id}" + (f"/{below}" if below else "")
