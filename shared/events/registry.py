"""Every contract by its type; golden schemas are made from here and compared with here."""

from types import ModuleType

from shared.events import activities
from shared.events.base import Event

MODULES: tuple[ModuleType, ...] = (activities,)


def contracts() -> dict[str, type[Event]]:
    """Return every declared event type with its model."""
    found = (value for module in MODULES for value in vars(module).values())
    models = [
        value for value in found if isinstance(value, type) and issubclass(value, Event) and "type" in vars(value)
    ]
    return {model.type: model for model in models}
