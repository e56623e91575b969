"""What routes ask for by annotation: the transaction, the caller, the time."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from structlog.contextvars import bind_contextvars

from shared import clock
from shared.auth.callers import (
    PROGRAMME_HEADER,
    Caller,
    NoPartner,
    NotAuthenticated,
    ProgrammeDiffers,
    ProgrammeNeeded,
    UnclearCredentials,
)
from shared.auth.keys import KeysUnreachable
from shared.auth.tokens import TokenVerifier
from shared.database.sessions import Database
from shared.errors import NotAllowed, Title
from shared.names import Names
from shared.roles import PERMISSIONS, Role, reach_of
from shared.web import problems
from shared.web.options import WebOptions
from shared.web.rates import RateLimiter, TooManyRequests
from shared.web.refusals import refuses

Language = Literal["zh", "en"]
CREDENTIALS = (NotAuthenticated, UnclearCredentials, ProgrammeNeeded, ProgrammeDiffers)


class MissingPermission(NotAllowed):
    """None of the caller's roles may do this."""

    code = "missing_permission"
    title = Title(zh="您的角色没有此权限", en="Your role may not do this")


def transaction(request: Request) -> Iterator[Session]:
    """Open the request's transaction; it commits before the response leaves."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        yield tx


def transaction_later(request: Request) -> Callable[[], AbstractContextManager[Session]]:
    """Return how to open the request's transaction, for a route that has slow work to do after its end."""
    database: Database = request.app.state.database
    return database.transaction


async def language(request: Request) -> Language:
    """Choose between zh and en by `Accept-Language`."""
    return "en" if problems.language_of(request) == "en" else "zh"


async def names_of_people(request: Request) -> Names:
    """Return how to ask for people's names; 503 where this service has no secret to ask with."""
    options: WebOptions = request.app.state.options
    if options.names is None:
        raise HTTPException(503)
    return options.names


async def present(_request: Request) -> datetime:
    """Read the clock, once a request."""
    return clock.now()


def may(permission: str) -> Callable[[Request], Awaitable[Caller]]:
    """Require a permission; the route gets the caller who has it. Raises NotAuthenticated, MissingPermission."""
    reach_of(permission, ())  # A permission that is not declared fails at import.
    scoped = (NoPartner,) if Role.PARTNER in PERMISSIONS[permission] else ()

    @refuses(*CREDENTIALS, MissingPermission, TooManyRequests, *scoped)
    async def permitted(request: Request) -> Caller:
        caller = await _known(request)
        _count(request, caller)
        acting = caller.acting(permission)
        if acting is None:
            raise MissingPermission(permission=permission)
        return acting

    permitted.permission = permission  # type: ignore[attr-defined]  # The route matrix reads what each route declares.
    return permitted


@refuses(TooManyRequests)
async def anybody(request: Request) -> None:
    """Let anybody call, without a token: for the few routes that strangers need (decision 0054).

    Such a route only reads, and has no caller: what it shows is the same for everybody. An address calls so often a
    minute and no more, so that nothing is tried out there. Raises TooManyRequests.
    """
    visitors: RateLimiter = request.app.state.visitors
    request.state.allowance = visitors.take(request.client.host if request.client else "")


anybody.is_open = True  # type: ignore[attr-defined]  # The route matrix reads what each route declares.


def token_holds(request: Request) -> Callable[[], bool]:
    """Return how to ask, while a request goes on, whether its token still says who is calling."""
    token = _bearer_token(request)
    verifier: TokenVerifier = request.app.state.verifier

    def holds() -> bool:
        now = clock.now()
        try:
            return (verifier.recall(token, now=now) or verifier.identify(token, now=now)) is not None
        except NotAuthenticated:
            return False

    return holds


async def _known(request: Request) -> Caller:
    """Return who is calling; an address that keeps sending what is no token is told to wait. Raises TooManyRequests."""
    try:
        return await _caller(request)
    except NotAuthenticated:
        strangers: RateLimiter = request.app.state.strangers
        strangers.take(request.client.host if request.client else "")
        raise


async def _caller(request: Request) -> Caller:
    token, now = _bearer_token(request), clock.now()
    verifier: TokenVerifier = request.app.state.verifier
    identity = verifier.recall(token, now=now)
    if identity is None:
        if verifier.needs_keys(token):
            await _read_keys(verifier)
        identity = verifier.identify(token, now=now)
    named = _named_programme(request)
    try:
        return identity.calling_in(named)
    except ProgrammeDiffers:
        _count(request, identity.calling_in(None))  # In the programme of their token, whose trail tells of them.
        raise


def _count(request: Request, caller: Caller) -> None:
    """Keep who is calling, even if they are turned away now, and count the request once. Raises TooManyRequests."""
    request.state.caller = caller
    bind_contextvars(caller=caller.name, programme_id=str(caller.programme_id))
    if not hasattr(request.state, "allowance"):  # Asked again when the rest of the request is found to be wrong.
        callers: RateLimiter = request.app.state.callers
        request.state.allowance = callers.take(f"{caller.programme_id}/{caller.person_id}")


def _bearer_token(request: Request) -> str:
    """Return the request's token (RFC 6750 section 2.1). Raises NotAuthenticated, UnclearCredentials."""
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise UnclearCredentials(reason="several_authorization_headers")
    if "access_token" in request.query_params:  # It stands in logs and histories by now; RFC 9700 section 4.3.2.
        raise UnclearCredentials(reason="token_in_query")
    scheme, _, token = given[0].strip().partition(" ") if given else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated(reason="no_bearer_token")
    return token.strip()


async def _read_keys(verifier: TokenVerifier) -> None:
    """Read the issuer's keys, off the event loop."""
    try:
        await run_in_threadpool(verifier.store.refresh)
    except KeysUnreachable as error:
        raise HTTPException(503) from error


def _named_programme(request: Request) -> UUID | None:
    """Return the programme that the request names, as services must (decision 0029). Raises ProgrammeNeeded."""
    named = request.headers.get(PROGRAMME_HEADER)
    try:
        return None if named is None else UUID(named)
    except ValueError as error:
        raise ProgrammeNeeded(field=PROGRAMME_HEADER) from error


Tx = Annotated[Session, Depends(transaction, scope="function")]
Begin = Annotated[Callable[[], AbstractContextManager[Session]], Depends(transaction_later)]
Reading = Annotated[Language, Depends(language)]
PeoplesNames = Annotated[Names, Depends(names_of_people)]
Now = Annotated[datetime, Depends(present)]
