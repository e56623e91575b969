"""The activities service: from a published shift to a proven minute. Each role loads its own part."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from shared.service import Later, Service

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shared.bus import Timer, Work
    from shared.imports.desk import Imports


@cache
def imports() -> "Imports":
    """Return what is taken in as sheets: web roles stage it, workers bring it in."""
    from services.activities.attendance_imports.jobs import ATTENDANCE
    from services.activities.shift_imports.jobs import SHIFTS
    from services.activities.volunteer_imports.jobs import VOLUNTEERS
    from shared.imports.desk import Imports

    return Imports("activities", VOLUNTEERS, SHIFTS, ATTENDANCE)


def routers() -> "Sequence[APIRouter]":
    """Return what answers requests."""
    from services.activities.attendance import api as attendance
    from services.activities.check_ins import api as check_ins
    from services.activities.consents import api as consents
    from services.activities.listings import api as listings
    from services.activities.personal_data import api as personal_data
    from services.activities.sign_ups import api as sign_ups
    from services.activities.volunteers import api as volunteers
    from shared.web.imports import router_of

    return (
        volunteers.router,
        consents.router,
        listings.router,
        sign_ups.router,
        attendance.router,
        check_ins.router,
        router_of(imports()),
        personal_data.router,
    )


def tasks() -> "Sequence[Work]":
    """Return what workers do when they are asked to."""
    return (imports().work,)


def timers() -> "Sequence[Timer]":
    """Return what workers do by the calendar."""
    from services.activities.personal_data.jobs import forget_expired

    return imports().timer, forget_expired


SERVICE = Service(
    name="activities",
    about="Volunteers, listings and shifts, sign-ups, attendance: from a published shift to a proven minute.",
    routers=Later(routers),
    tasks=Later(tasks),
    timers=Later(timers),
)
