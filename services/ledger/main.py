"""The ledger's table of contents; each role loads its own part."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.service import Later, Service

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shared.bus import Handler, Timer


def routers() -> "Sequence[APIRouter]":
    """Return what answers requests."""
    from services.ledger.donations import api as donations
    from services.ledger.journal import api as journal
    from services.ledger.policies import api as policies

    return policies.router, journal.router, donations.router


def handlers() -> "Sequence[Handler[Any]]":
    """Return what hears events."""
    from services.ledger.donations.handlers import accrue_donations

    return (accrue_donations,)


def timers() -> "Sequence[Timer]":
    """Return what is done by the calendar."""
    from services.ledger.donations.jobs import forget_expired

    return (forget_expired,)


SERVICE = Service(
    name="ledger",
    about="What an hour is worth, what is owed for it, and the books that prove it.",
    routers=Later(routers),
    handlers=Later(handlers),
    timers=Later(timers),
)
