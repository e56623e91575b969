"""Time zones by their names in the IANA database."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from shared.errors import Invalid, Title


class UnknownTimezone(Invalid):
    """The time zone is not in the IANA database."""

    code = "unknown_timezone"
    title = Title(zh="未知的时区", en="Unknown time zone")


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises UnknownTimezone."""
    if name not in _zones():  # ZoneInfo alone would also take `localtime`, which depends on the machine.
        raise UnknownTimezone(field="timezone")
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
