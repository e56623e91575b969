"""`ETag`, `If-Match` and `If-None-Match` (RFC 9110 sections 8.8.3 and 13.1)."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from starlette.responses import Response

from shared.errors import ChangedSince, Invalid, ReadFirst, Title
from shared.seen import ANYTHING, Seen
from shared.web.refusals import refuses

ANY = "*"
_MOST = 1_000
READINGS: dict[str, Any] = {"max_length": _MOST, "examples": ['"1"']}
MUST_NOT_EXIST: dict[str, Any] = {"max_length": _MOST, "examples": [ANY]}
OF_UNCHANGED = ("etag", "cache-control", "content-language", "vary")

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"\s*(?:{_TAG.pattern}\s*(?:,\s*|$))+")


class MalformedTag(Invalid):
    """A header holds no entity tags in double quotes, nor the asterisk."""

    code = "malformed_entity_tag"
    title = Title(zh="ETag 须带双引号，或为 *", en="Entity tags stand in double quotes, or write *")


@dataclass(frozen=True, slots=True)
class Tagged:
    """A representation, and the row whose tag it goes out under; None if there is none yet."""

    row: object
    shown: Any


@refuses(ReadFirst, ChangedSince, MalformedTag)
async def seen(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of the reading that this decision rests on, or `*`.",
            **READINGS,
        ),
    ] = None,
) -> Seen:
    """Return what the caller has read. Raises ReadFirst if they do not say."""
    if if_match is None:
        raise ReadFirst(header="If-Match")
    return _seen(if_match)


@refuses(ReadFirst, ChangedSince, MalformedTag)
async def seen_if_any(
    if_match: Annotated[
        str | None,
        Header(alias="If-Match", description="The `ETag` of the reading, if it exists.", **READINGS),
    ] = None,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="`*`: only if it does not exist yet.", **MUST_NOT_EXIST)
    ] = None,
) -> Seen:
    """Return what the caller has read of a thing that may not exist yet; whoever locks it says if that is enough."""
    if if_match is not None:
        return _seen(if_match)
    if if_none_match is None:
        return Seen()
    if if_none_match.strip() != ANY:
        raise MalformedTag(field="If-None-Match", expected=ANY)
    return Seen(nothing=True)


Read = Annotated[Seen, Depends(seen)]
ReadIfAny = Annotated[Seen, Depends(seen_if_any)]
needs_reading = (seen, seen_if_any)  # What the routes test looks for.


def _seen(header: str) -> Seen:
    """Read entity tags; a weak one is valid and never matches. Raises MalformedTag."""
    if header.strip() == ANY:
        return ANYTHING
    if not _TAGS.fullmatch(header):
        raise MalformedTag(field="If-Match", expected='"…" or *')
    strong = [tag for weak, tag in _TAG.findall(header) if not weak]
    return Seen(tags=strong or ("",))  # Only weak ones: read, and nothing that it could be.


def etag(tag: str) -> str:
    """Write a tag as a header's value."""
    return f'"{tag}"'


def is_known(request: Request, tag: str) -> bool:
    """Say whether the caller has the reading of a tag, which is given as a header's value."""
    known = request.headers.get("if-none-match")
    if known is None:
        return False
    return known.strip() == ANY or tag.strip('"') in {each for _, each in _TAG.findall(known)}


def unless_known(request: Request, response: Response) -> Response:
    """Return a reading, or 304 if the caller has it, with the headers that caches keep (RFC 9110 section 15.4.5)."""
    if not is_known(request, response.headers["etag"]):
        return response
    kept = {name: response.headers[name] for name in OF_UNCHANGED if name in response.headers}
    return Response(status_code=304, headers=kept)
