"""What the pages decide from what the APIs said, and which tokens, addresses and posts they accept."""

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

LONGEST_STAY_SECONDS = 12 * 60 * 60
MOST_TOKEN_CHARACTERS = 3_800  # Browsers keep 4,096 bytes of a cookie, its name and attributes included.
MOST_PATH_CHARACTERS = 500
LEAST_REMAINING_MS = 1_000  # However the clocks differ, a screen asks once a second at most.

_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_CODE = re.compile(r"\d{6}", re.ASCII)
_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # Printable ASCII without "\": browsers read "\" as "/", drop tabs.


class SignInNeeded(Exception):
    """The page needs a person, and nobody we know is asking."""


class ApiDown(Exception):
    """An API did not answer, or not with what it promised."""


class ApiSlow(ApiDown):
    """An API did not answer in time; whether it did what was asked is unknown."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An API's problem document: `title` is in the reader's language, `facts` are those of the case."""

    code: str
    title: str
    status: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str | None = None


class Refused(Exception):
    """An API said no, and why."""

    def __init__(self, problem: Problem) -> None:
        """Keep the API's own words."""
        super().__init__(problem.code)
        self.problem = problem


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


def next_step(shift: Shift, place: Place) -> Step:
    """Choose the one thing that the volunteer's page offers; a cancelled shift offers nothing to who has not left."""
    step = _STEP_AFTER[place.state]
    return Step.CANCELLED if shift.state == "cancelled" and step in {Step.CHECK_IN, Step.CHECK_OUT} else step


def remaining_ms(valid_until: datetime, *, now: datetime) -> int:
    """Say for how long a screen may show a code, in milliseconds; never less than a second."""
    return max(int((valid_until - now).total_seconds() * 1_000), LEAST_REMAINING_MS)


def plain_code(typed: str) -> str:
    """Return a typed code without spaces and dashes, full-width digits as ASCII; the API judges what is left."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed))


def scanned_code(code: str) -> str | None:
    """Return the code of an address, None if it is not one: then the reader types it."""
    return code if _CODE.fullmatch(code) else None


def local_path(path: str) -> str | None:
    """Return where to go after signing in, None for anything but a path on this host (no open redirect)."""
    return path if len(path) <= MOST_PATH_CHARACTERS and _LOCAL_PATH.fullmatch(path) else None


def is_same_site(*, fetch_site: str | None, origin: str | None, hosts: Collection[str]) -> bool:
    """Say whether a form was posted from a page of ours.

    `Sec-Fetch-Site` decides where browsers send it (over TLS and to localhost); elsewhere the `Origin`'s host must be
    one of `hosts`. A post with neither comes from no browser of today.
    """
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    return origin is not None and urlsplit(origin).netloc in hosts


def is_token(token: str) -> bool:
    """Say whether this has the form of a signed JWT: nothing else goes into a header or a cookie."""
    return len(token) <= MOST_TOKEN_CHARACTERS and _TOKEN.fullmatch(token) is not None


def stay_seconds(token: str, *, now: datetime) -> int | None:
    """Say how long to keep a bearer token: until it expires, twelve hours at most; None if it is no use at all.

    Reads the claims without verifying them: the APIs do that, on each call.
    """
    if not is_token(token):
        return None
    try:
        payload = token.split(".")[1]
        expiry = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        seconds = int(expiry) - int(now.timestamp())
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError):
        return None
    return min(seconds, LONGEST_STAY_SECONDS) if seconds > 0 else None
