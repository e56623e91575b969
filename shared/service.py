"""What a service is to the platform: a name, HTTP routes, event handlers, tasks, timers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shared.bus import Handler, Subscriptions, Timer, Work

Part_co = TypeVar("Part_co", covariant=True)


class Later(Sequence[Part_co]):
    """Parts of a service that are loaded when somebody looks at them, so that each role loads its own alone.

    There is at least one: that much is known before they are loaded.
    """

    def __init__(self, load: Callable[[], Sequence[Part_co]]) -> None:
        """Have `load` import and return them, once."""
        self._load = load

    def __bool__(self) -> bool:
        """Say, without loading them, that there are some."""
        return True

    def __len__(self) -> int:
        """Load and count them."""
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> Part_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part_co]: ...
    def __getitem__(self, index: int | slice) -> Part_co | Sequence[Part_co]:
        """Load them and return one or some."""
        return self._parts[index]

    @cached_property
    def _parts(self) -> Sequence[Part_co]:
        parts = self._load()
        if not parts:
            raise ValueError("whoever has no such parts declares none")
        return parts


@dataclass(frozen=True)
class Service:
    """One service's table of contents; its `main` writes it, whoever runs it reads it."""

    name: str
    routers: "Sequence[APIRouter]"
    handlers: "Sequence[Handler[Any]]" = ()
    tasks: "Sequence[Work]" = ()
    timers: "Sequence[Timer]" = ()
    about: str = ""  # One sentence, for whoever reads its documents.

    def load(self) -> None:
        """Load every part, for a process that has every role."""
        for parts in (self.routers, self.handlers, self.tasks, self.timers):
            len(parts)

    @property
    def subscriptions(self) -> "Subscriptions":
        """Everything that the service hears."""
        from shared.bus import Subscriptions  # noqa: PLC0415  To know a service's name takes no bus.

        return Subscriptions(self.name, self.handlers)

    @property
    def has_work(self) -> bool:
        """Whether its workers have anything to do; nothing of it is loaded."""
        return bool(self.tasks) or bool(self.timers)

    @property
    def works(self) -> "Sequence[Work]":
        """Everything that the service's workers do: its tasks, and what its timers fire."""
        return (*self.tasks, *(timer.work for timer in self.timers))
