"""The activities service: from a published shift to a proven minute."""

from services.activities.attendance import api as attendance
from services.activities.check_ins import api as check_ins
from services.activities.imports import api as imports
from services.activities.listings import api as listings
from services.activities.sign_ups import api as sign_ups
from services.activities.volunteers import api as volunteers
from shared.service import Service

SERVICE = Service(
    name="activities",
    about="Volunteers, listings and shifts, sign-ups, attendance: from a published shift to a proven minute.",
    routers=(
        volunteers.router,
        listings.router,
        sign_ups.router,
        attendance.router,
        check_ins.router,
        imports.router,
    ),
)
