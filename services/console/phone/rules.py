"""What the pages decide from what the APIs said."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

LEAST_REMAINING_MS = 1_000  # However the clocks differ, a screen asks once a second at most.

DEVICE_KEPT = timedelta(days=2)  # Since it was last of use: no shift, with the time around it, lasts as long.

_CODE = re.compile(r"\d{6}", re.ASCII)
_DEVICE = re.compile(r"[\w-]{22}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shift:
    """One occasion of a listing, as activities tells it; instants in UTC, `timezone` from the IANA database."""

    id: UUID
    listing_reference: str
    listing_title: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    state: str


@dataclass(frozen=True, slots=True)
class Code:
    """The code that a shift shows now; `valid_until` is by the platform's clock."""

    code: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """The reader's own place on a shift."""

    state: Literal["expected", "checked_in", "settled", "voided"]
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    service_minutes: int | None = None


OFF = frozenset({"no_go", "not_run", "cancelled"})  # A shift that does not happen, by whatever decision.


class Step(StrEnum):
    """What a volunteer can do next on one shift, or why there is nothing more to do."""

    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"
    DONE = "done"
    VOIDED = "voided"
    CANCELLED = "cancelled"


_STEP_AFTER = {
    "expected": Step.CHECK_IN,
    "checked_in": Step.CHECK_OUT,
    "settled": Step.DONE,
    "voided": Step.VOIDED,
}


SCANS = frozenset({Step.CHECK_IN, Step.CHECK_OUT})


def next_step(shift: Shift, place: Place) -> Step:
    """Choose the one thing that the volunteer's page offers; a cancelled shift offers nothing to who has not left."""
    step = _STEP_AFTER[place.state]
    return Step.CANCELLED if shift.state in OFF and step in SCANS else step


def remaining_ms(valid_until: datetime, *, now: datetime) -> int:
    """Say for how long a screen may show a code, in milliseconds; never less than a second."""
    return max(int((valid_until - now).total_seconds() * 1_000), LEAST_REMAINING_MS)


def plain_code(typed: str) -> str:
    """Return a typed code without spaces and dashes, full-width digits as ASCII; the API judges what is left."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed))


def scanned_code(code: str) -> str | None:
    """Return the code of an address, None if it is not one: then the reader types it."""
    return code if _CODE.fullmatch(code) else None


def known_device(cookie: str | None) -> str | None:
    """Return by what a phone is known; None if it keeps no cookies, or none of our making."""
    return cookie if cookie is not None and _DEVICE.fullmatch(cookie) else None
