"""In which form a route answers: as the caller's `Accept` or `?format=` says, of the forms that the route has."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Request

from shared.errors import NotAcceptable
from shared.web.refusals import refuses

_PREFERENCE: Final = re.compile(r"\s*([^\s/;,]+)/([^\s/;,]+)\s*((?:;[^,]*)?)")
_WEIGHT: Final = re.compile(r";\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)", re.IGNORECASE)
_HAS_WEIGHT: Final = re.compile(r";\s*q\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of an answer: its short name in `?format=`, and its media type."""

    name: str
    media_type: str


JSON: Final = Form("json", "application/json")
PDF: Final = Form("pdf", "application/pdf")


def one_of(*offered: Form) -> Callable[..., Awaitable[Form]]:
    """Return the dependency that chooses a form; `?format=` wins over `Accept`, the first form over its equals.

    Raises NotAcceptable, at the door, before anything is read.
    """
    names = [form.name for form in offered]
    described = Query(
        alias="format", description="The form of the answer; wins over `Accept`.", json_schema_extra={"enum": names}
    )

    @refuses(NotAcceptable)
    async def choose(request: Request, wanted: Annotated[str | None, described] = None) -> Form:
        if wanted is not None:
            found = next((form for form in offered if form.name == wanted), None)
        else:
            found = preferred(",".join(request.headers.getlist("accept")), offered)
        if found is None:
            raise NotAcceptable(offered=[form.media_type for form in offered])
        return found

    return choose


def preferred(accept: str, offered: tuple[Form, ...]) -> Form | None:
    """Choose by an `Accept` header (RFC 9110 section 12.5.1); None if it takes none of what is offered.

    Of several ranges the most exact counts; without a header everything is taken.
    """
    if not accept.strip():
        return offered[0]
    ranges = {(kind.lower(), sub.lower()): _weight(rest) for kind, sub, rest in _PREFERENCE.findall(accept)}
    weights = [(_weight_of(form, ranges), form) for form in offered]
    best = max(weight for weight, _ in weights)
    return next((form for weight, form in weights if weight == best), None) if best > 0 else None


def _weight_of(form: Form, ranges: dict[tuple[str, str], float]) -> float:
    kind, _, sub = form.media_type.partition("/")
    return next((ranges[key] for key in ((kind, sub), (kind, "*"), ("*", "*")) if key in ranges), 0.0)


def _weight(parameters: str) -> float:
    """Read `q`; without it a range weighs 1, with a broken one nothing."""
    found = _WEIGHT.search(parameters)
    if found:
        return float(found[1])
    return 0.0 if _HAS_WEIGHT.search(parameters) else 1.0
