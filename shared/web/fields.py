"""Types of what callers send and see: what the database could not hold is refused at the door, by field.

Each says its limits, which the OpenAPI document then shows. Texts that callers send state their own length
(`Text = Field(max_length=40)`); texts that only leave state how long they may get.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.money import CURRENCY

FIRST_YEAR, LAST_YEAR = 1971, 2199  # Beyond these a date is a slip, and calendars and zones stop agreeing.
GREATEST = 2**53 - 1  # Beyond it receivers lose digits (RFC 8259 section 6).
MOST_LINE, MOST_SHOWN, MOST_WHOLE = 500, 4_000, 20_000_000
MOST_ITEMS, MOST_PARTS = 200, 10_000
YEARS = "^(197[1-9]|19[89][0-9]|2[01][0-9]{2})-"  # The same for readers of the OpenAPI document.
NO_NUL = r"^[^\x00]*$"
_DAY, _OFFSET = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[+-][0-9]{2}:?[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
RFC_3339 = f"{_DAY}[Tt ]{_CLOCK}([Zz]|{_OFFSET})"

Item = TypeVar("Item")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold a NUL character")
    return text


def _instant(value: object) -> object:
    """Let pass what RFC 3339 allows; pydantic would read numbers as seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and re.fullmatch(RFC_3339, value)):
        return value
    raise ValueError("must be an instant as in RFC 3339, with its offset: 2022-09-03T09:00:00+08:00")


def _day(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(_DAY, value)):
        return value
    raise ValueError("must be a date: 2022-09-03")


def _whole(value: object) -> object:
    """Let pass what JSON Schema calls an integer, 5.0 too; pydantic would read "5" and true as well."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a whole number")  # noqa: TRY004  Pydantic makes a refusal of this kind alone.
    return value


def _in_utc(instant: datetime) -> datetime:
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return instant.astimezone(UTC)


# What callers send.
Text = Annotated[str, Field(json_schema_extra={"pattern": NO_NUL}), AfterValidator(_storable)]
Line = Annotated[Text, Field(max_length=MOST_LINE)]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_instant),
    AfterValidator(_in_utc),
    Field(
        description=f"With its offset, in the years {FIRST_YEAR} to {LAST_YEAR}.",
        examples=["2022-09-03T09:00:00Z"],
        json_schema_extra={"pattern": YEARS},
    ),
]
Day = Annotated[date, BeforeValidator(_day), Field(description="A local date.", examples=["2022-09-03"])]
WHOLE = BeforeValidator(_whole)
Whole = Annotated[int, WHOLE]
Flag = Annotated[bool, Field(strict=True)]
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]  # In a query everything is text, so it is not strict.

# Why somebody does something on another's behalf; blanks alone are no reason.
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    Field(json_schema_extra={"pattern": NO_NUL}),
    AfterValidator(_storable),
]

# What they see as well: how many there are of things, or minutes; and amounts that may be owed either way.
Count = Annotated[int, Field(ge=0, le=GREATEST)]
# Documented, not enforced: an answer that is too large or too long is still better than none.
Fen = Annotated[int, Field(json_schema_extra={"minimum": -GREATEST, "maximum": GREATEST})]
Shown = Annotated[str, Field(json_schema_extra={"maxLength": MOST_SHOWN, "pattern": NO_NUL})]
WholeText = Annotated[str, Field(json_schema_extra={"maxLength": MOST_WHOLE, "pattern": NO_NUL})]
Items = Annotated[list[Item], Field(json_schema_extra={"maxItems": MOST_ITEMS})]
Parts = Annotated[list[Item], Field(json_schema_extra={"maxItems": MOST_PARTS})]


class Money(BaseModel):
    """An amount as the HTTP doors show it: `{"currency": "CNY", "fen": 10000}`."""

    model_config = ConfigDict(frozen=True)

    currency: Literal["CNY"] = CURRENCY
    fen: Fen
