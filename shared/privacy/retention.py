"""For how long things are kept, as timers delete by: the terms of the table in `kept`.

A deployment may keep things for longer or for less, within the bounds that stand there: POPCANDY_RETENTION_DAYS is a
JSON object of days by name.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.privacy.kept import TABLE
from shared.settings import BadSetting, settings

AT_ONCE = 5_000  # Rows of one kind that one run of a timer deletes; the next run goes on.
_BY_NAME = {kept.name: kept for kept in TABLE}


def days(name: str, chosen: Mapping[str, int] | None) -> int:
    """Return for how many days something is kept, as it was chosen or by default. Raises KeyError, BadSetting."""
    term = _BY_NAME[name].term
    if term is None:
        raise KeyError(name)
    wanted = (chosen or {}).get(name, term.days)
    if not term.least <= wanted <= term.most:
        raise BadSetting(f"POPCANDY_RETENTION_DAYS: {name} has to be {term.least} to {term.most} days")
    return wanted


def require_valid(chosen: Mapping[str, int] | None) -> None:
    """Refuse a term that is out of its bounds, or one of a thing that has none. Raises BadSetting."""
    for name in chosen or {}:
        if name not in _BY_NAME or _BY_NAME[name].term is None:
            raise BadSetting(f"POPCANDY_RETENTION_DAYS: {name} is not a thing with a term; see docs/retention.md")
        days(name, chosen)


def age(name: str) -> timedelta:
    """Return how old something may become, as this process was told."""
    return timedelta(days=days(name, settings().retention_days))


def before(name: str, now: datetime) -> datetime:
    """Return the instant before which something has been kept for long enough."""
    return now - age(name)
