"""What a volunteer does from the phone; activities decides, and tells the ledger."""

from uuid import UUID

from services.console.phone import queries, rules
from services.console.shell.queries import Api


def check_in(api: Api, *, shift_id: UUID, code: str, once: str) -> None:
    """Report the volunteer's arrival. Raises Refused, SignInNeeded, ApiDown, ApiSlow."""
    queries.post_code(api, shift_id, "check-ins", code=rules.plain_code(code), once=once)


def check_out(api: Api, *, shift_id: UUID, code: str, once: str) -> None:
    """Report the volunteer's departure. Raises Refused, SignInNeeded, ApiDown, ApiSlow."""
    queries.post_code(api, shift_id, "check-outs", code=rules.plain_code(code), once=once)
