"""The public doors of a platform, and how to be anybody at them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from launch import importing
from launch.client import Api
from launch.embedded import EmbeddedPlatform
from launch.oidc.people import person_of
from shared.roles import Role

PAGE = 200  # Items of one page, and employee numbers of one look-up.

T = TypeVar("T")


@dataclass(frozen=True)
class Doors:
    """The APIs of a platform, and how to be anybody on it."""

    platform: EmbeddedPlatform
    api: Api
    zone: ZoneInfo

    def person(self, role: Role) -> UUID:
        """Name the one demo person of a role; the same in each run over one folder."""
        return person_of(self.platform.programme_id, role)

    def token(self, role: Role) -> str:
        """Sign a token for the demo person of a role."""
        return self.platform.token(role, person_id=self.person(role))

    def volunteer(self, volunteer_id: UUID) -> str:
        """Sign a token for a volunteer."""
        return self.platform.token(Role.VOLUNTEER, person_id=volunteer_id)

    def partner(self, partner_id: UUID) -> str:
        """Sign a token for somebody of a partner."""
        return self.platform.token(Role.PARTNER, partner_id=partner_id)

    def send_in(self, kind: str, name: str, content: bytes) -> None:
        """Have a sheet brought in as the demo's operator. Raises Problem, StillCommitting."""
        importing.bring_in(
            self.api, kind, name, content, token=self.token(Role.OPERATOR), timezone=self.zone.key
        )  # fmt: skip

    def listed(self, path: str, role: Role, **wanted: object) -> Iterator[dict[str, Any]]:
        """Read a whole list, page by page. Raises Problem."""
        cursor = None
        while True:
            page = self.api.get(path, token=self.token(role), limit=PAGE, cursor=cursor, **wanted)
            yield from page["items"]
            if (cursor := page["next"]) is None:
                return

    def volunteers(self, employee_numbers: Sequence[str]) -> dict[str, UUID]:
        """Look up volunteers' ids by their employee numbers. Raises Problem."""
        found: dict[str, UUID] = {}
        for numbers in parts(list(dict.fromkeys(employee_numbers)), PAGE):
            wanted = {"employee_numbers": numbers}
            answer = self.api.post("/api/activities/volunteers/lookups", wanted, token=self.token(Role.OPERATOR))
            found |= {each["employee_number"]: UUID(each["id"]) for each in answer["items"]}
        return found


def parts(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Cut a list into parts of a size that a door takes."""
    return (items[start : start + most] for start in range(0, len(items), most))
