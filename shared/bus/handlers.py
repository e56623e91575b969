"""`on`: which function of ours hears which facts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from shared.events.base import Event, routing_key

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Handler(Generic[E]):
    """A function that takes a list of facts in one transaction: all of them or none."""

    name: str
    events: tuple[type[E], ...]
    run: Callable[[Session, Sequence[E]], None]
    batch: int = 1
    keep: bool = False
    ordered: bool = False
    forget_after: timedelta | None = None

    def __call__(self, tx: Session, events: Sequence[E]) -> None:
        """Handle `events` in the caller's transaction."""
        self.run(tx, events)


def on(
    *events: type[E], batch: int = 1, keep: bool = False, ordered: bool = False, forget_after: timedelta | None = None
) -> Callable[[Callable[[Session, Sequence[E]], None]], Handler[E]]:
    """Subscribe a function to event types; it gets at most `batch` facts at once, repeats already dropped.

    Under load two batches are handled beside each other, each in its own transaction, unless a handler of the same
    service is `ordered`: lock what they share in one order.
    Its name in the inbox is `<service>.<function>`: renaming a handler makes it hear everything in its queue anew.
    `keep` stores each fact for good, so that what was made of them can be made again. `ordered` lets facts of one
    partition key wait behind one that died, until it is replayed or discarded. `forget_after` trims old marks; only a
    handler whose effects have a permanent key of their own may say so, for a letter can come again after any time.
    """
    if keep and forget_after is not None:
        raise ValueError("what is kept is not forgotten")

    def subscribe(run: Callable[[Session, Sequence[E]], None]) -> Handler[E]:
        name = f"{run.__module__.split('.')[1]}.{run.__name__}"
        return Handler(name, events, run, batch, keep, ordered, forget_after)

    return subscribe


class Subscriptions:
    """Everything that one service hears, as a table of contents."""

    def __init__(self, service: str, handlers: Iterable[Handler[Any]]) -> None:
        """Collect a service's handlers; its `main` names them."""
        self.service = service
        self.handlers = tuple(handlers)
        self.queue = f"{service}.inbox"
        self.batch = max((handler.batch for handler in self.handlers), default=1)
        self.models = {event.type: event for handler in self.handlers for event in handler.events}
        self._hearing: dict[str, list[Handler[Any]]] = {event_type: [] for event_type in self.models}
        for handler in self.handlers:
            for event_type in {event.type for event in handler.events}:
                self._hearing[event_type].append(handler)

    @property
    def routing_keys(self) -> set[str]:
        """What the service's queue must be bound to."""
        return {routing_key(event_type) for event_type in self.models}

    @property
    def are_ordered(self) -> bool:
        """Say whether any handler wants the facts of a key in their order."""
        return any(handler.ordered for handler in self.handlers)

    def named(self, name: str) -> Handler[Any] | None:
        """Return a handler by its name in the inbox, or None if there is none (any more)."""
        return next((handler for handler in self.handlers if handler.name == name), None)

    def of(self, event_type: str) -> Sequence[Handler[Any]]:
        """Return who hears this type."""
        return self._hearing.get(event_type, ())
