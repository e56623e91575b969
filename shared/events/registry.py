"""Every contract by its type; golden schemas are made from here and compared with here."""

from types import ModuleType

from shared.events import (
    activities,
    activities_claims,
    activities_days,
    activities_deliverables,
    activities_feedback,
    activities_incidents,
    activities_kits,
    activities_proposals,
    activities_rounds,
    activities_shifts,
    activities_sign_ups,
    partners,
)
from shared.events.base import Event

MODULES: tuple[ModuleType, ...] = (
    activities,
    activities_rounds,
    activities_proposals,
    activities_shifts,
    activities_sign_ups,
    activities_claims,
    activities_deliverables,
    activities_feedback,
    activities_incidents,
    activities_kits,
    activities_days,
    partners,
)


def contracts() -> dict[str, type[Event]]:
    """Return every declared event type with its model."""
    found = (value for module in MODULES for value in vars(module).values())
    models = [
        value for value in found if isinstance(value, type) and issubclass(value, Event) and "type" in vars(value)
    ]
    return {model.type: model for model in models}
