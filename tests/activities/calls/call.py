"""A call that changes something, as a trail is to show it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.activities.door import Door

REASON = {"reason": "来信"}
ERASED = {"personal_data_access": {"added": 1}, "suppressed_number": {"added": 1}, "volunteer": {"changed": 1}}


@dataclass
class Call:
    """A call that succeeds, and how its entry's counts must be."""

    door: Door
    method: str
    path: str
    parts: dict[str, Any]
    counts: dict[str, dict[str, int]]
    on: str | None = None

    def send(self, key: str) -> Any:
        headers = self.door.headers() | {"Idempotency-Key": key} | ({"If-Match": self.on} if self.on else {})
        return self.door.client.request(self.method, f"/api/activities{self.path}", headers=headers, **self.parts)


Make = Callable[[Door], Call]
