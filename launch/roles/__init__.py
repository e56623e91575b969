"""What a process does for its service: a module for each role, loaded by the processes that have the role."""

from dataclasses import dataclass
from enum import StrEnum


class Duty(StrEnum):
    """What a process does for its service."""

    WEB = "web"
    CONSUMER = "consumer"
    RELAY = "relay"
    WORKER = "worker"
    ALL = "all"


@dataclass(frozen=True)
class Wanted:
    """Which service, in which role, where."""

    service: str
    role: Duty
    host: str
    port: int

    @property
    def roles(self) -> tuple[Duty, ...]:
        """Which roles the process has: the one, or all of them; requests are let in last."""
        every = (Duty.RELAY, Duty.CONSUMER, Duty.WORKER, Duty.WEB)
        return every if self.role is Duty.ALL else (self.role,)
