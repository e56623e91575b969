"""Money in integer fen, time of service in integer minutes. No float ever stands for either."""

from typing import Final

CURRENCY: Final = "CNY"
FEN_PER_YUAN = 100
MINUTES_PER_HOUR = 60


def yuan(fen: int) -> str:
    """Write fen as yuan for a person: 605530000 → `6,055,300.00`."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{sign}{whole:,}.{rest:02d}"


def hours(minutes: int) -> str:
    """Write minutes as hours and minutes for a person: 3633180 → `60,553 h`, 95 → `1 h 35 min`."""
    sign = "-" if minutes < 0 else ""
    whole, rest = divmod(abs(minutes), MINUTES_PER_HOUR)
    return f"{sign}{whole:,} h {rest} min" if rest else f"{sign}{whole:,} h"
