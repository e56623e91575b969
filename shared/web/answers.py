"""The answers of an operation as the OpenAPI document shows them: problems by status and code, headers."""

from collections import defaultdict
from typing import Any

from fastapi.routing import RouteContext
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import Refusal, Title
from shared.web.fields import Shown
from shared.web.problems import BY_STATUS, INTERNAL, INVALID_INPUT, MEDIA_TYPE, status_of
from shared.web.refusals import refusals_of

Part = dict[str, Any]
Codes = dict[str, Title]

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
WITH_BODY = (400, 408, 413, 415)  # Only a request that brings a body is refused so.
UNAUTHORIZED, TOO_MANY, UNAVAILABLE = 401, 429, 503


class FieldError(BaseModel):
    """What is wrong with one field of what was sent."""

    field: Shown = Field(description="Where, as `shifts.0.capacity`.", examples=["shifts.0.capacity"])
    code: Shown = Field(examples=["greater_than_equal"])
    message: Shown = Field(examples=["Input should be greater than or equal to 1"])


class Problem(BaseModel):
    """Why something was not done (RFC 9457). Programs read `code`, people `title`."""

    model_config = ConfigDict(extra="ignore")

    type: Shown = Field(examples=["urn:popcandy:problem:invalid_input"], description="`urn:popcandy:problem:<code>`")
    title: Shown = Field(description="For a person, in the language that `Accept-Language` asks for.")
    status: int = Field(ge=400, le=599)
    code: Shown = Field(description="Stable: see docs/problems.md.", examples=["invalid_input"])
    trace_id: str | None = Field(
        description="By which the operators find this call.",
        max_length=32,
        pattern="^[0-9a-f]{32}$",
        examples=[TRACE_ID],
    )
    facts: dict[str, Any] | None = Field(default=None, description="The facts of the case; each code has its own.")
    errors: list[FieldError] | None = Field(
        default=None, description="Field by field.", json_schema_extra={"maxItems": 10_000}
    )


def _schemas() -> dict[str, Part]:
    whole = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="validation")
    for name in ("facts", "errors"):  # They are left out, never null.
        part = whole["properties"][name]
        part |= next(each for each in part.pop("anyOf") if each != {"type": "null"})
        del part["default"]
    return {**whole.pop("$defs"), "Problem": whole}


def _header(description: str, **schema: str) -> Part:
    return {"description": description, "schema": {"type": "string", "maxLength": 200, "pattern": "^[ -~]*$", **schema}}


SCHEMAS = _schemas()
HEADERS = {
    "Access-Control-Allow-Origin": _header("The page's origin, if it is one that may call from a browser."),
    "RateLimit": _header(
        "What the caller has left: requests `r`, all of them again in `t` seconds.", example='"caller";r=1199;t=1'
    ),
    "RateLimit-Policy": _header("How many requests `q` a caller has in `w` seconds.", example='"caller";q=1200;w=60'),
    "Retry-After": _header("Seconds to wait.", pattern="^[0-9]{1,9}$", example="22"),
    "WWW-Authenticate": _header("How to sign in.", example="Bearer"),
    "traceparent": _header("The W3C trace of this call.", example=f"00-{TRACE_ID}-b7ad6b7169203331-01"),
}
ALWAYS = ("Access-Control-Allow-Origin", "RateLimit", "RateLimit-Policy", "traceparent")
BESIDES = {UNAUTHORIZED: ("WWW-Authenticate",), TOO_MANY: ("Retry-After",), UNAVAILABLE: ("Retry-After",)}


def headers(status: int = 200) -> Part:
    """Return the headers that come with a status."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *BESIDES.get(status, ()))}


def refused(route: RouteContext, operation: Part, schemas: dict[str, Part]) -> dict[str, Part]:
    """Return an operation's answers that say no, by status; the schemas of their problems are added to `schemas`."""
    return {
        str(status): _answer(operation["operationId"], status, codes, schemas)
        for status, codes in sorted(codes_of(route, operation).items())
    }


def codes_of(route: RouteContext, operation: Part) -> dict[int, Codes]:
    """Return the codes that an operation may answer, with their titles, by status."""
    found: dict[int, Codes] = defaultdict(dict)
    for kind in sorted(refusals_of(route), key=_code):
        found[status_of(kind)][kind.code] = kind.title
    if "requestBody" in operation:
        for status in WITH_BODY:
            _add(found, status)
    if "requestBody" in operation or operation.get("parameters"):
        found[422]["invalid_input"] = INVALID_INPUT
    _add(found, UNAVAILABLE)
    found[500]["internal_error"] = INTERNAL
    return found


def _code(kind: type[Refusal]) -> str:
    return kind.code


def _add(found: dict[int, Codes], status: int) -> None:
    code, title = BY_STATUS[status]
    found[status][code] = title


def _answer(operation_id: str, status: int, codes: Codes, schemas: dict[str, Part]) -> Part:
    name = _name(operation_id, status, codes)
    schemas[name] = {
        "title": name,
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {
                "type": "object",
                "properties": {"code": {"type": "string", "enum": sorted(codes)}},
            },
        ],
    }
    return {
        "description": "\n".join(f"- `{code}`: {title.en}" for code, title in sorted(codes.items())),
        "headers": headers(status),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": f"#/components/schemas/{name}"},
                "examples": {code: _example(status, code, title) for code, title in sorted(codes.items())},
            }
        },
    }


def _name(operation_id: str, status: int, codes: Codes) -> str:
    """Name a problem for its operation, or for its code alone if it is the only one: many operations share it."""
    owner = next(iter(codes)) if len(codes) == 1 else f"{operation_id}_{status}"
    return f"{''.join(word.capitalize() for word in owner.split('_'))}Problem"


def _example(status: int, code: str, title: Title) -> Part:
    document: Part = {
        "type": f"urn:popcandy:problem:{code}",
        "title": title.en,
        "status": status,
        "code": code,
        "trace_id": TRACE_ID,
    }
    if code == "invalid_input":
        document["errors"] = [{name: part["examples"][0] for name, part in SCHEMAS["FieldError"]["properties"].items()}]
    return {"summary": title.en, "value": document}
