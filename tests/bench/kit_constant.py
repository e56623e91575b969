"""The same constant answer behind our kit: a token, a permission, limits, traces, logs; no transaction.

`uvicorn tests.bench.kit_constant:app`, with the settings of a web role.
"""

from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends

from shared.auth.callers import Caller
from shared.auth.keys import key_store
from shared.auth.signatures import signatures_from
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.server import Server
from shared.service import Service
from shared.settings import settings
from shared.telemetry import configure_logging
from shared.web.app import create_app
from shared.web.doors import may
from shared.web.options import options_of
from shared.web.routes import Router, reading
from tests.bench.peers.fastapi_orm import GivenCode, Recorded

NOBODY = UUID(int=0)
router = Router(prefix="/shifts/{shift_id}")


@router.post("/check-ins", status_code=201, operation_id="check_in")
@reading
async def check_in(
    shift_id: UUID, body: GivenCode, caller: Annotated[Caller, Depends(may("attendance.check_in"))]
) -> Recorded:
    """Answer what everybody is answered."""
    del shift_id, body, caller
    return Recorded(id=NOBODY, state="checked_in")


@router.get("/attendance/mine", operation_id="get_own_attendance")
async def get_own_attendance(
    shift_id: UUID, caller: Annotated[Caller, Depends(may("attendance.read"))]
) -> dict[str, str]:
    """Let everybody be known before they check in."""
    del shift_id, caller
    return {}


given = settings()
assert given.database_url is not None
assert given.jwks is not None
assert given.secrets is not None
configure_logging(level=given.log_level)
app = create_app(
    Service(name="activities", about="One constant answer.", routers=(router,)),
    database=Server(given.database_url.get_secret_value()).open("activities", pool_size=given.pool_size),
    transport=cast("Transport", None),
    verifier=TokenVerifier(key_store(given.jwks), issuer=given.issuer, audience=given.audience),
    options=options_of(given, signatures_from(given.secrets.get_secret_value()), names=None),
)
