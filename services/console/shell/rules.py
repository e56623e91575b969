"""What every page knows: who reads it, what an API said, which addresses and posts are ours."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid5

MOST_PATH_CHARACTERS = 500

_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # Printable ASCII without "\": browsers read "\" as "/", drop tabs.


class SignInNeeded(Exception):
    """The page needs a person, and nobody we know is asking."""


class ForeignForm(Exception):
    """A form came without the token that our own pages put into theirs."""


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
class Reader:
    """Who reads a page, as the layout shows them; `csrf` goes into each of their forms."""

    name: str
    name_en: str
    roles: tuple[str, ...]
    programme: str
    csrf: str

    def name_in(self, language: str) -> str:
        """Return the name, in English where there is one."""
        return (self.name_en if language == "en" else "") or self.name


def local_path(path: str) -> str | None:
    """Return where to go after signing in, None for anything but a path on this host (no open redirect)."""
    return path if len(path) <= MOST_PATH_CHARACTERS and _LOCAL_PATH.fullmatch(path) else None


def key_of(once: str, *, path: str, body: Mapping[str, str]) -> str | None:
    """Return the `Idempotency-Key` of what a form asks for; None where the form brought no number of its own.

    Of one form, what is typed anew after going back is another call.
    """
    try:
        drawn = UUID(once)
    except ValueError:
        return None
    return str(uuid5(drawn, f"{path}?{urlencode(sorted(body.items()))}"))


def is_same_site(*, fetch_site: str | None, origin: str | None, hosts: Collection[str]) -> bool:
    """Say whether a form was posted from a page of ours.

    `Sec-Fetch-Site` decides where browsers send it (over TLS and to localhost); elsewhere the `Origin`'s host must be
    one of `hosts`. A post with neither comes from no browser of today.
    """
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    return origin is not None and urlsplit(origin).netloc in hosts


def origin_of(url: str) -> str:
    """Return an address without its path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
