"""A service's imports: its kinds, the task that commits them, and the timer that forgets them.

imports = Imports("activities", VOLUNTEERS, SHIFTS, ATTENDANCE)
SERVICE = Service(..., routers=(..., router_of(imports)), tasks=(imports.work,), timers=(imports.timer,))
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from shared import bus
from shared.bus import Job, Missed, Task, Timer, Work
from shared.imports import committing
from shared.imports.forgetting import forget
from shared.imports.kinds import ImportKind
from shared.imports.queries import Scope
from shared.roles import Role, reach_of


class Imports:
    """Everything that one service takes in as sheets."""

    def __init__(self, service: str, *kinds: ImportKind[Any, Any]) -> None:
        """Take in `kinds`. Raises ValueError if two have one name."""
        self.kinds = {kind.name: kind for kind in kinds}
        if len(self.kinds) != len(kinds):
            raise ValueError("two kinds of imports have the same name")
        self.task = Task(f"{service}.commit_import")
        self.work: Work = bus.work(
            self.task, max_retries=5, time_limit_ms=committing.COMMIT_MS, backoff_seconds=2
        )(self._commit)  # fmt: skip
        self.timer: Timer = bus.every(
            "23 3 * * *", tz="Asia/Shanghai", missed=Missed.ONCE, max_retries=5, time_limit_ms=60_000, service=service
        )(forget_imports)  # fmt: skip

    def scope(self, programme_id: UUID, roles: frozenset[Role]) -> Scope:
        """Say what a caller sees: the kinds that one of the roles may import."""
        kinds = [kind.name for kind in self.kinds.values() if reach_of(kind.permission, roles)]
        return Scope(programme_id, kinds)

    def _commit(self, job: Job, import_id: UUID) -> None:
        committing.commit(job, self.kinds, import_id)


def forget_imports(tx: Session, due_at: datetime) -> None:
    """Forget imports whose time is over."""
    forget(tx, now=due_at)
