"""What a service is to the platform: a name, HTTP routes, event handlers, tasks, timers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from shared.bus import Handler, Subscriptions, Timer, Work


@dataclass(frozen=True)
class Service:
    """One service's table of contents; its `main` writes it, whoever runs it reads it."""

    name: str
    routers: Sequence[APIRouter]
    handlers: Sequence[Handler[Any]] = ()
    tasks: Sequence[Work] = ()
    timers: Sequence[Timer] = ()
    about: str = ""  # One sentence, for whoever reads its documents.

    @property
    def subscriptions(self) -> Subscriptions:
        """Everything that the service hears."""
        return Subscriptions(self.name, self.handlers)

    @property
    def works(self) -> Sequence[Work]:
        """Everything that the service's workers do: its tasks, and what its timers fire."""
        return (*self.tasks, *(timer.work for timer in self.timers))
