"""The router of every service: what an endpoint returns goes out tagged, and what it changes is safe to send again.

An unsafe call (POST, PUT, PATCH, DELETE) runs, in its route's own thread hop and transaction:

    known key? → endpoint → flush → representation → audit entry → kept answer        (commit, at the door)

`shared/web/app.py` takes no unsafe route of another class, so that none is forgotten. A POST that only asks, with what
must not stand in an address, says that it is a `reading`, and is none of them. One of a hot door is carried out
`together` with others: the same steps, for many at once. A route that asks for no
permission has no caller whose key or trail it could be, and is left as it is; services have none.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from shared import clock
from shared.audit import entries, trail
from shared.audit.entries import Call
from shared.auth.callers import Caller
from shared.errors import Refusal
from shared.seen import hash_of, is_row, tag_of
from shared.web import idempotency
from shared.web.audit import call_of
from shared.web.doors import Tx
from shared.web.preconditions import READINGS, Tagged, etag, needs_reading, unless_known
from shared.web.refusals import refuses
from shared.web.together import Act, Groups, Member, act_of

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="`ETag`s of readings that the caller has: 304 for one of them.",
        **READINGS,
    ),
]
Endpoint = Callable[..., Any]
E = TypeVar("E", bound=Endpoint)
_READINGS: set[Endpoint] = set()
_SECRETS: set[Endpoint] = set()


def reading(endpoint: E) -> E:
    """Mark a POST that changes nothing, where what is asked for must not stand in an address: no key, no trail."""
    _READINGS.add(endpoint)
    return endpoint


def tells_secret(endpoint: E) -> E:
    """Mark a call whose answer holds a secret that stands nowhere else: what is kept of it, for its key, is sealed."""
    _SECRETS.add(endpoint)
    return endpoint


class Route(APIRoute):
    """A route that keeps the promises of every service."""

    def __init__(self, path: str, endpoint: Endpoint, **more: Any) -> None:  # noqa: ANN401  FastAPI's own arguments.
        """Wrap the endpoint by what the route does. Raises TypeError for an endpoint that cannot keep the promises."""
        self.caller = _caller_of(endpoint)
        self.request = _request_of(endpoint)
        self.is_unsafe = not (UNSAFE.isdisjoint(more.get("methods") or {"GET"}) or endpoint in _READINGS)
        self.act = act_of(endpoint)
        if self.act is not None:
            endpoint = self._joining(endpoint, self.act)
        elif self.is_unsafe and self.caller:
            endpoint = self._safe(endpoint)
        elif not self.is_unsafe and _shows_one_thing(path, endpoint):
            endpoint = self._tagged(endpoint)
        super().__init__(path, endpoint, **more)
        self.responses = {**{status: {"description": said} for status, said in self._answers()}, **self.responses}

    def _answers(self) -> Iterator[tuple[int, str]]:
        """Yield the statuses that the kit answers with, for the document."""
        headers = {each.alias for each in self.dependant.header_params}
        if "If-None-Match" in headers:
            yield 304, "The caller has this reading"
        if "Idempotency-Key" in headers:
            yield 409, "In conflict with the current state, or the same key is at work"
        if any(each.call in needs_reading for each in self.dependant.dependencies):
            yield 412, "It has changed since it was read"
            yield 428, "It has to be read first: `If-Match` is missing"

    def _safe(self, endpoint: Endpoint) -> Endpoint:
        """Let an endpoint be called again, and leave a trail."""
        _require_plain(endpoint)

        def call(
            *, kit_tx: Session, kit_key: str | None, kit_request: Request | None = None,
            **values: Any,  # noqa: ANN401  The endpoint's own.
        ) -> Response:  # fmt: skip
            caller: Caller = values[self.caller]
            request: Request = kit_request or values[self.request]
            described = call_of(request, caller, values.values(), at=clock.now())
            if kit_key is None:
                return self._carry_out(endpoint, values, described, kit_tx)
            seals = request.app.state.options.seals
            asked = idempotency.asked_by(request, caller, kit_key)
            known = idempotency.replays(kit_tx, [asked]).get(asked.key)
            if isinstance(known, Refusal):
                raise known
            if known is not None:
                return idempotency.response_of(idempotency.opened(known, seals))
            response = self._carry_out(endpoint, values, described, kit_tx)
            sealing = seals if endpoint in _SECRETS else None
            idempotency.keep(kit_tx, {asked: response}, operation=described.operation, seals=sealing)
            return response

        asked_for = {"kit_tx": Tx, "kit_key": (idempotency.KeyHeader, None)}
        return refuses(*idempotency.REFUSALS)(self._asking(endpoint, call, asked_for))

    def _joining(self, endpoint: Endpoint, act: Act) -> Endpoint:
        """Let what an endpoint asks for be carried out together with what others ask for at the same time."""
        _require_plain(endpoint)

        async def join(
            *, kit_key: str | None, kit_request: Request | None = None,
            **values: Any,  # noqa: ANN401  The endpoint's own.
        ) -> Response:  # fmt: skip
            caller: Caller = values[self.caller]
            request: Request = kit_request or values[self.request]
            described = call_of(request, caller, values.values(), at=clock.now())
            asked = None if kit_key is None else idempotency.asked_by(request, caller, kit_key)
            groups: Groups = request.app.state.groups
            return await groups.join(Member(act, self.represented, endpoint(**values), described, asked))

        asked_for = {"kit_key": (idempotency.KeyHeader, None)}
        return refuses(*idempotency.REFUSALS)(self._asking(endpoint, join, asked_for))

    def _carry_out(self, endpoint: Endpoint, values: Mapping[str, Any], call: Call, tx: Session) -> Response:
        """Call the endpoint and write down what it did, all before the commit."""
        changed = trail.begin(tx)
        result = endpoint(**values)
        tx.flush()  # Constraints are heard, and the trail sees the last rows.
        response = self.represented(result)
        entries.write_done(tx, (_about(call, result, changed), changed))
        return response

    def _tagged(self, endpoint: Endpoint) -> Endpoint:
        """Let what an endpoint shows go out under its tag, and not at all to who has it."""

        def show(
            *, kit_known: str | None, kit_request: Request | None = None, **values: Any  # noqa: ANN401  The endpoint's own.
        ) -> Response:  # fmt: skip
            del kit_known  # Declared for the documentation; a list of tags is read from the request.
            response = self.represented(endpoint(**values))
            if "etag" not in response.headers:
                response.headers["etag"] = etag(hash_of(bytes(response.body)))
            return unless_known(kit_request or values[self.request], response)

        return self._asking(endpoint, show, {"kit_known": (IfNoneMatch, None)})

    def _asking(self, endpoint: Endpoint, wrapper: Endpoint, asked_for: Mapping[str, Any]) -> Endpoint:
        """Return a wrapper that FastAPI takes for the endpoint, with parameters of the kit's besides."""
        signature = inspect.signature(endpoint)
        added = []
        for name, asked in (asked_for if self.request else {"kit_request": Request, **asked_for}).items():
            annotation, default = asked if isinstance(asked, tuple) else (asked, Parameter.empty)
            added.append(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation))
        wrapped = wraps(endpoint)(wrapper)
        wrapped.__signature__ = Signature(  # type: ignore[attr-defined]  # What `inspect` asks for first.
            [*signature.parameters.values(), *added], return_annotation=signature.return_annotation
        )
        return wrapped

    def represented(self, result: Any) -> Response:  # noqa: ANN401  Whatever an endpoint returns.
        """Write what an endpoint returned as it is sent; this is what is kept. Raises ResponseValidationError."""
        row, shown = (result.row, result.shown) if isinstance(result, Tagged) else (result, result)
        if isinstance(shown, Response):
            response = shown
        else:
            status = self.status_code or 200
            response = Response(self._written(shown), status, media_type="application/json")
        if is_row(row):
            response.headers["etag"] = etag(tag_of(row))
        return response

    def _written(self, shown: Any) -> bytes:  # noqa: ANN401  As above.
        if self.response_field is None:
            return bytes(JSONResponse(jsonable_encoder(shown)).body)
        value, errors = self.response_field.validate(shown, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors=errors, body=shown)
        return self.response_field.serialize_json(
            value,
            include=self.response_model_include,
            exclude=self.response_model_exclude,
            by_alias=self.response_model_by_alias,
            exclude_unset=self.response_model_exclude_unset,
            exclude_defaults=self.response_model_exclude_defaults,
            exclude_none=self.response_model_exclude_none,
        )


class Router(APIRouter):
    """The router that services use."""

    def __init__(self, **more: Any) -> None:  # noqa: ANN401  FastAPI's own arguments.
        """Make each of its routes a `Route`."""
        super().__init__(route_class=Route, **more)


def require_safe(router: APIRouter) -> None:
    """Refuse a router with an unsafe route that is no `Route`. Raises TypeError."""
    for route in router.routes:
        methods = getattr(route, "methods", None) or set()
        if not (UNSAFE.isdisjoint(methods) or isinstance(route, Route)):
            raise TypeError(f"{route}: unsafe routes stand in a shared.web.routes.Router")


def has_hot_doors(router: APIRouter) -> bool:
    """Say whether any route of a router is a hot door."""
    return any(isinstance(route, Route) and route.act is not None for route in router.routes)


def hot_doors(app: FastAPI) -> tuple[re.Pattern[str], ...]:
    """Return what the addresses of an app's hot doors look like; none of them is read."""
    hot = (each for each in iter_route_contexts(app.routes) if getattr(each.original_route, "act", None))
    return tuple(each.path_regex for each in hot)


def is_hot(doors: Iterable[re.Pattern[str]], scope: Scope) -> bool:
    """Say whether a request goes to a hot door."""
    return scope["method"] == "POST" and any(door.match(scope["path"]) for door in doors)


def _caller_of(endpoint: Endpoint) -> str:
    """Return the name of the parameter that is the caller, empty if the endpoint asks for no permission."""
    for name, annotation in get_type_hints(endpoint, include_extras=True).items():
        if any(hasattr(getattr(part, "dependency", None), "permission") for part in get_args(annotation)[1:]):
            return name
    return ""


def _request_of(endpoint: Endpoint) -> str:
    """Return the name of the endpoint's own parameter that is the request, if any: FastAPI gives it to one alone."""
    return next((name for name, hint in get_type_hints(endpoint).items() if hint is Request), "")


def _shows_one_thing(path: str, endpoint: Endpoint) -> bool:
    return not _is_lazy(endpoint) and (path.endswith("}") or get_type_hints(endpoint).get("return") is Tagged)


def _require_plain(endpoint: Endpoint) -> None:
    """Refuse what would run outside the one thread hop, or set headers that nobody keeps."""
    if _is_lazy(endpoint):
        raise TypeError(f"{endpoint.__name__}: an unsafe route is a plain function, in one thread")
    if Response in [hint for name, hint in get_type_hints(endpoint).items() if name != "return"]:
        raise TypeError(f"{endpoint.__name__}: return the response, lest its headers get lost")


def _is_lazy(endpoint: Endpoint) -> bool:
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(is_kind(endpoint) for is_kind in kinds)


def _about(call: Call, result: Any, changed: trail.Trail) -> Call:  # noqa: ANN401  Whatever an endpoint returns.
    """Say what a call was about that was addressed to no one thing: what it returns, else what it changed first."""
    row = result.row if isinstance(result, Tagged) else result
    if call.thing is not None:
        return call
    first = next(iter(changed.shown()), None)
    thing = trail.identity_of(row) if is_row(row) else (first["thing"], first["id"]) if first else None
    return Call(call.who, call.operation, call.at, thing, call.reason)
