"""What callers are told when the database fails, or another service that we ask."""

import traceback

from fastapi import FastAPI, Request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.responses import Response

from shared import telemetry
from shared.database.faults import describe, may_pass
from shared.names import NamesUnavailable
from shared.web import problems

RETRY_SECONDS = "2"

log = telemetry.get_logger()


def install(app: FastAPI) -> None:
    """Answer 503 while the database or another service is away or busy; other errors are faults of ours."""
    app.add_exception_handler(SQLAlchemyError, _failed)
    app.add_exception_handler(NamesUnavailable, _unanswered)


async def _unanswered(request: Request, error: Exception) -> Response:
    log.warning("request.names_unavailable", path=problems.address_of(request), reason=str(error))
    return problems.of_status(request, 503, headers={"Retry-After": RETRY_SECONDS})


async def _failed(request: Request, error: Exception) -> Response:
    """Tell passing trouble from a fault. The error's message may hold values of rows, so the log gets none of it."""
    is_passing = may_pass(error)
    reason = describe(error) if isinstance(error, DBAPIError) else type(error).__name__
    where = None if is_passing else "".join(traceback.format_tb(error.__traceback__))
    log.error("request.database_failed", path=problems.address_of(request), reason=reason, stack=where)
    if is_passing:
        return problems.of_status(request, 503, headers={"Retry-After": RETRY_SECONDS})
    return problems.internal(request)
