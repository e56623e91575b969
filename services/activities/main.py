"""The activities service: from a published shift to a proven minute."""

from services.activities.attendance import api as attendance
from services.activities.check_ins import api as check_ins
from services.activities.consents import api as consents
from services.activities.imports import api as imports
from services.activities.listings import api as listings
from services.activities.personal_data import api as personal_data
from services.activities.personal_data.jobs import forget_expired
from services.activities.sign_ups import api as sign_ups
from services.activities.volunteers import api as volunteers
from shared.service import Service

SERVICE = Service(
    name="activities",
    routers=(
        volunteers.router,
        consents.router,
        listings.router,
        sign_ups.router,
        attendance.router,
        check_ins.router,
        imports.router,
        personal_data.router,
    ),
    timers=(forget_expired,),
)
