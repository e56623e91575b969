"""The activities service: from a published shift to a proven minute."""

from services.activities.attendance import api as attendance
from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.check_ins import api as check_ins
from services.activities.consents import api as consents
from services.activities.listings import api as listings
from services.activities.personal_data import api as personal_data
from services.activities.personal_data.jobs import forget_expired
from services.activities.shift_imports.jobs import SHIFTS
from services.activities.sign_ups import api as sign_ups
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers import api as volunteers
from shared.imports.desk import Imports
from shared.service import Service
from shared.web.imports import router_of

IMPORTS = Imports("activities", VOLUNTEERS, SHIFTS, ATTENDANCE)
SERVICE = Service(
    name="activities",
    about="Volunteers, listings and shifts, sign-ups, attendance: from a published shift to a proven minute.",
    routers=(
        volunteers.router,
        consents.router,
        listings.router,
        sign_ups.router,
        attendance.router,
        check_ins.router,
        router_of(IMPORTS),
        personal_data.router,
    ),
    tasks=(IMPORTS.work,),
    timers=(IMPORTS.timer, forget_expired),
)
