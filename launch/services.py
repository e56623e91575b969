"""Every service there is."""

from services.activities.main import SERVICE as ACTIVITIES
from services.ledger.main import SERVICE as LEDGER
from shared.service import Service

SERVICES: tuple[Service, ...] = (ACTIVITIES, LEDGER)


def service_named(name: str) -> Service:
    """Return a service by its name. Raises KeyError."""
    return {service.name: service for service in SERVICES}[name]
