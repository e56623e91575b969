"""A service's OpenAPI 3.1 document: what FastAPI knows, and what our conventions add to every operation.

Limits stand in the fields (shared/web/fields.py) and refusals beside the routes (shared/web/refusals.py); here they are
only gathered. Sources: OpenAPI 3.1.1; RFC 9457; RFC 8725 for the tokens; draft-ietf-httpapi-ratelimit-headers.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts

from shared.roles import PERMISSIONS
from shared.service import Service
from shared.web import answers
from shared.web.examples import example_of
from shared.web.limits import MOST_BODY_BYTES
from shared.web.refusals import is_open, permission_of

Part = dict[str, Any]

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
VERSION = "3.1.1"
FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")  # Ours is `Problem`.
SERVERS = [
    {
        "url": "/",
        "description": "The host that served this document: local over HTTP, production over HTTPS only.",
        "x-internal": False,
    }
]
ABOUT = """{about}

Every call carries a bearer token, but to what is open to anybody; `x-permission` says what it has to allow. Every no
is a problem document (RFC 9457) with a stable `code`; its `title` is Chinese or English by `Accept-Language`. Money is
whole fen, time of service whole minutes; instants are RFC 3339, dates local. What an example shows is synthetic.
"""
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A short-lived OpenID Connect access token, verified as RFC8725 recommends.",
}
LENGTHS = {"uuid": 36, "date": 10, "date-time": 40}  # What the format itself allows; a field can hardly say it.


def describe(app: FastAPI, service: Service) -> None:
    """Let an app serve the document; it is made once, when it is first asked for."""

    def openapi() -> Part:
        if app.openapi_schema is None:
            app.openapi_schema = document(app, service)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this as the way.


def document(app: FastAPI, service: Service) -> Part:
    """Return the document of a service whose routes an app has."""
    routes = sorted(_routes(app), key=lambda route: (route.path_format or "", sorted(route.methods or ())))
    found = get_openapi(
        title=f"Popcandy {service.name}",
        version=tomllib.loads(PROJECT.read_text("utf-8"))["project"]["version"],
        openapi_version=VERSION,
        description=ABOUT.format(about=service.about),
        contact={"name": "The operators of this Popcandy"},
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=SERVERS,
        tags=_tags(routes),
        routes=routes,
    )
    found = _named_apart(found)
    components = found["components"]
    components["securitySchemes"] = {"bearer": BEARER}
    components["headers"] = answers.HEADERS
    schemas = components["schemas"]
    for name in FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas |= answers.SCHEMAS
    for route in routes:
        for method in route.methods or ():
            _complete(found["paths"][route.path_format][method.lower()], route, schemas)
    _state_limits(found)
    return found


def _named_apart(found: Part) -> Part:
    """Give each schema one short name that no other has; generators of clients make a class of each.

    Of several classes with one name pydantic makes `services__activities__rounds__rules__State`, which becomes
    `RoundsState`; and `Answer-Input` of what is read otherwise than it is shown becomes `AnswerInput`.
    """
    schemas: dict[str, Part] = found["components"]["schemas"]
    names = {name: _short(name) for name in schemas}
    if len(set(names.values())) < len(names):
        raise ValueError(f"schemas share a name: {sorted(names.values())}")
    for name, short in names.items():
        if short != name:
            schemas[name]["title"] = short
    found["components"]["schemas"] = {names[name]: schema for name, schema in schemas.items()}
    renamed: Part = _with_references(found, {f"#/components/schemas/{old}": new for old, new in names.items()})
    return renamed


def _short(name: str) -> str:
    """Put the name of its package, or of the module that stands for itself, before a class that is not alone."""
    *path, own = name.split("__")
    if not path:
        return name.replace("-", "")
    owner = path[-2] if path[-1] in {"rules", "schemas"} else path[-1]
    return "".join(part.capitalize() for part in owner.split("_")) + own.replace("-", "")


def _with_references(part: Any, names: dict[str, str]) -> Any:  # noqa: ANN401  A document of JSON.
    if isinstance(part, dict):
        return {
            key: f"#/components/schemas/{names[each]}" if key == "$ref" and each in names
            else _with_references(each, names)
            for key, each in part.items()
        }  # fmt: skip
    return [_with_references(each, names) for each in part] if isinstance(part, list) else part


def _routes(app: FastAPI) -> Iterator[RouteContext]:
    for route in iter_route_contexts(app.routes):
        if getattr(route, "include_in_schema", False) and hasattr(route.original_route, "operation_id"):
            yield route


def _tags(routes: list[RouteContext]) -> list[Part]:
    """Describe each tag as the module of its routes describes itself, which is a door of something."""
    said = {tag: sys.modules[route.endpoint.__module__].__doc__ or "" for route in routes for tag in route.tags}
    lines = {tag: text.partition("\n")[0].removeprefix("HTTP door of ") for tag, text in said.items()}
    return [{"name": tag, "description": f"{line[:1].upper()}{line[1:]}"} for tag, line in sorted(lines.items())]


def _complete(operation: Part, route: RouteContext, schemas: dict[str, Part]) -> None:
    permission = permission_of(route)
    operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
    if permission is not None:
        operation["security"] = [{"bearer": []}]
        operation["x-permission"] = permission
        operation["x-roles"] = sorted(PERMISSIONS[permission])
    elif is_open(route):
        operation["security"] = []  # Anybody may; said, where silence would be an oversight.
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _never_null(parameter["schema"])
        parameter["example"] = example_of(parameter["schema"], schemas, name=parameter["name"])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = example_of(content["schema"], schemas, sent=True)
    successes = {status: answer for status, answer in operation["responses"].items() if status < "4"}
    operation["responses"] = {
        **{status: _success(answer, operation, schemas) for status, answer in successes.items()},
        **answers.refused(route, operation, schemas),
    }


def _never_null(schema: Part) -> Part:
    """Say of a parameter what it may be when it is there; FastAPI says that it may be null, which no address can."""
    there = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return (
        {**there[0], **{name: part for name, part in schema.items() if name != "anyOf"}} if len(there) == 1 else schema
    )


def _success(answer: Part, operation: Part, schemas: dict[str, Part]) -> Part:
    for media_type, content in answer.get("content", {}).items():
        if media_type == "application/json":
            content["example"] = example_of(content["schema"], schemas)
        elif not content.get("schema"):
            content["schema"] = {"type": "string", "contentMediaType": media_type}
    about = operation["summary"] if answer["description"] == "Successful Response" else answer["description"]
    return {**answer, "description": about, "headers": {**answers.headers(), **answer.get("headers", {})}}


def _state_limits(part: object) -> None:
    """Write down the limits that follow from what a schema says already."""
    if isinstance(part, dict):
        if part.get("type") == "string" and isinstance(part.get("format"), str):
            part.setdefault("maxLength", LENGTHS.get(part["format"], MOST_BODY_BYTES))
        elif part.get("type") == "string" and "contentMediaType" in part:
            part.setdefault("maxLength", MOST_BODY_BYTES)
        elif part.get("type") == "integer" and {"minimum", "maximum"} <= part.keys():
            _state_width(part)
        for each in part.values():
            _state_limits(each)
    elif isinstance(part, list):
        for each in part:
            _state_limits(each)


def _state_width(part: Part) -> None:
    """Give an integer its format by its limits, which FastAPI's own model has turned into floats."""
    part["minimum"], part["maximum"] = int(part["minimum"]), int(part["maximum"])
    is_small = part["minimum"] >= -(2**31) and part["maximum"] < 2**31
    part.setdefault("format", "int32" if is_small else "int64")
