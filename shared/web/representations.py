"""In which form a route answers: as the caller's `Accept` or `?format=` says, of the forms that the route has."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Request

from shared.errors import NotAcceptable
from shared.web.preferences import weight
from shared.web.refusals import refuses

_PREFERENCE: Final = re.compile(r"\s*([^\s/;,]+)/([^\s/;,]+)\s*((?:;[^,]*)?)")


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
    ranges = {(kind.lower(), sub.lower()): weight(rest) for kind, sub, rest in _PREFERENCE.findall(accept)}
    wishes = [(_wish(form, ranges), form) for form in offered]
    best = max(wish for wish, _ in wishes)
    return next((form for wish, form in wishes if wish == best), None) if best > 0 else None


def _wish(form: Form, ranges: dict[tuple[str, str], float]) -> float:
    kind, _, sub = form.media_type.partition("/")
    return next((ranges[key] for key in ((kind, sub), (kind, "*"), ("*", "*")) if key in ranges), 0.0)
