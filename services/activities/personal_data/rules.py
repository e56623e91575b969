"""When a person can be erased, and what is told of a person. Source: DOMAIN.md section 9; PIPL articles 45, 47."""

from datetime import timedelta
from enum import StrEnum

from shared.errors import Conflict, Title

ONE_VISIT = timedelta(hours=1)  # A page that shows people their data again and again is one export, not many.
MOST_ROWS = 10_000  # Of each kind in one export; 27 years of a shift a day.


class Kind(StrEnum):
    """What was done with all the data of a person."""

    EXPORT = "export"
    ERASURE = "erasure"


class ServiceUnderWay(Conflict):
    """The person has come to a shift and has not left: the service would never be settled."""

    code = "service_under_way"
    title = Title(zh="您有正在进行的服务，请先签退", en="A service is under way; check out first")


def require_none_under_way(*, is_under_way: bool) -> None:
    """Refuse to erase somebody who can still check out of a shift. Raises ServiceUnderWay."""
    if is_under_way:
        raise ServiceUnderWay
