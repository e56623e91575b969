"""What routes ask for by annotation: the transaction, the caller, the time."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from structlog.contextvars import bind_contextvars

from shared import clock
from shared.auth.callers import Caller, NoPartner, NotAuthenticated
from shared.auth.keys import KeysUnreachable
from shared.auth.tokens import TokenVerifier
from shared.database.sessions import Database
from shared.errors import NotAllowed, Title, TooMany
from shared.roles import PERMISSIONS, Role, is_permitted
from shared.web.refusals import refuses


class MissingPermission(NotAllowed):
    """None of the caller's roles may do this."""

    code = "missing_permission"
    title = Title(zh="您的角色没有此权限", en="Your role may not do this")


def transaction(request: Request) -> Iterator[Session]:
    """Open the request's transaction; it commits before the response leaves."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        yield tx


def transaction_apart(request: Request) -> Callable[[], AbstractContextManager[Session]]:
    """Return how to open a transaction that survives the refusal of the request's own."""
    database: Database = request.app.state.database
    return database.apart


async def present(_request: Request) -> datetime:
    """Read the clock, once a request."""
    return clock.now()


def may(permission: str) -> Callable[[Request], Awaitable[Caller]]:
    """Require a permission; the route gets the caller who has it. Raises NotAuthenticated, MissingPermission."""
    is_permitted(permission, frozenset())  # A permission that is not declared fails at import.
    scoped = (NoPartner,) if Role.PARTNER in PERMISSIONS[permission] else ()

    @refuses(NotAuthenticated, MissingPermission, TooMany, *scoped)
    async def permitted(request: Request) -> Caller:
        caller = await _caller(request)
        bind_contextvars(caller=str(caller.person_id), programme_id=str(caller.programme_id))
        if not is_permitted(permission, caller.roles):
            raise MissingPermission(permission=permission)
        return caller.acting(PERMISSIONS[permission])

    permitted.permission = permission  # type: ignore[attr-defined]  # The route matrix reads what each route declares.
    return permitted


async def _caller(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated(reason="no_bearer_token")
    verifier: TokenVerifier = request.app.state.verifier
    if verifier.needs_keys(token):
        try:
            await run_in_threadpool(verifier.store.refresh)
        except KeysUnreachable as error:
            raise HTTPException(503) from error
    return verifier.verify(token, now=clock.now())


Tx = Annotated[Session, Depends(transaction, scope="function")]
Apart = Annotated[Callable[[], AbstractContextManager[Session]], Depends(transaction_apart)]
Now = Annotated[datetime, Depends(present)]
