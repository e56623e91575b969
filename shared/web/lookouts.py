"""Looking at what callers watch: once for all who watch the same, and in one short transaction for all that is watched.

It asks instead of being told. What somebody does at another door, in whatever process, shows with the next look, and
no writer pays for being watched: a NOTIFY in its transaction would make all commits wait for each other (PITFALLS O11),
and one that is lost would have to be made up for by looking anyway. Source: decision 0062.
"""

import asyncio
import contextvars
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from shared import telemetry
from shared.database.sessions import Database

EVERY_SECONDS = 0.5

Seen = TypeVar("Seen")
Look = Callable[[Session, Collection[UUID]], Mapping[UUID, Seen]]

log = telemetry.get_logger()


class Watcher(Generic[Seen]):
    """Somebody who watches one thing, and what of it they have not been shown."""

    def __init__(self, key: UUID, looking: asyncio.Task[None]) -> None:
        """Watch the thing with this id, as long as somebody is `looking`."""
        self.key, self._looking = key, looking
        self._latest: Seen | None = None
        self._has_more = asyncio.Event()

    def show(self, seen: Seen | None) -> None:
        """Keep how the thing is now; if nobody has asked in between, the one before is left out."""
        if seen is not None and seen != self._latest:
            self._latest = seen
            self._has_more.set()

    async def next(self, *, seconds: float) -> Seen | None:
        """Return how the thing is as soon as that is another than before; None if it is not within so many seconds.

        Raises what has ended the looking, lest somebody go on watching what nobody looks at.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._has_more.wait()
        except TimeoutError:
            if self._looking.done():
                self._looking.result()
            return None
        self._has_more.clear()
        return self._latest


class Lookout(Generic[Seen]):
    """Looks every half second as long as anybody watches; for use on one event loop at a time.

    A look is a thread of the app for some milliseconds and a connection of those that are kept apart: requests never
    wait for it, nor it for them, but probes may where a look itself has to wait. One that fails the next makes up for.
    """

    def __init__(self, database: Database, look: Look[Seen], *, every_seconds: float = EVERY_SECONDS) -> None:
        """Look into a service's database by `look`, which is given the ids of all that is watched."""
        self._database, self._look, self._every_seconds = database, look, every_seconds
        self._watchers: set[Watcher[Seen]] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_deserted = asyncio.Event()

    @contextmanager
    def watching(self, key: UUID) -> Iterator[Watcher[Seen]]:
        """Watch a thing within the block."""
        if self._task is None or self._task.done():
            self._is_deserted = asyncio.Event()
            self._task = asyncio.create_task(self._run(), context=contextvars.Context())  # It is nobody's request.
        watcher = Watcher[Seen](key, self._task)
        self._watchers.add(watcher)
        self._is_deserted.clear()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                self._is_deserted.set()

    async def _run(self) -> None:
        while self._watchers:
            try:
                found = await run_in_threadpool(self._looked, {watcher.key for watcher in self._watchers})
            except SQLAlchemyError as error:
                log.warning("lookout.failed", error=str(error))
                found = {}
            for watcher in self._watchers:
                watcher.show(found.get(watcher.key))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await self._is_deserted.wait()

    def _looked(self, keys: Collection[UUID]) -> Mapping[UUID, Seen]:
        with self._database.apart() as tx:
            return self._look(tx, keys)
