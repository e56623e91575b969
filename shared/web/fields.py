"""Types of what callers send and see: what the database could not hold is refused at the door, by field."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.money import CURRENCY

FIRST_YEAR, LAST_YEAR = 1971, 2199  # Beyond these a date is a slip, and calendars and zones stop agreeing.


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold a NUL character")
    return text


def _in_utc(instant: datetime) -> datetime:
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return instant.astimezone(UTC)


Text = Annotated[str, AfterValidator(_storable)]
# Why somebody does something on another's behalf; blanks alone are no reason.
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(_storable)
]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Money(BaseModel):
    """An amount as the HTTP doors show it: `{"currency": "CNY", "fen": 10000}`."""

    model_config = ConfigDict(frozen=True)

    currency: str = CURRENCY
    fen: int
