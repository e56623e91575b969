"""The ledger's table of contents."""

from services.ledger.donations import api as donations
from services.ledger.donations.handlers import accrue_donations
from services.ledger.donations.jobs import forget_expired
from services.ledger.journal import api as journal
from services.ledger.policies import api as policies
from shared.service import Service

SERVICE = Service(
    name="ledger",
    about="What an hour is worth, what is owed for it, and the books that prove it.",
    routers=(policies.router, journal.router, donations.router),
    handlers=(accrue_donations,),
    timers=(forget_expired,),
)
