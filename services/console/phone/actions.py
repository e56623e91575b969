"""What a volunteer does from the phone; activities decides, and tells the ledger."""

import secrets
from uuid import UUID

from services.console.phone import queries, rules
from services.console.shell.queries import Api

DEVICE_BYTES = 16


def check_in(api: Api, *, shift_id: UUID, code: str, once: str, device: str | None = None) -> None:
    """Report the volunteer's arrival. Raises Refused, SignInNeeded, ApiDown, ApiSlow."""
    queries.post_code(api, shift_id, "check-ins", code=rules.plain_code(code), once=once, device=device)


def check_out(api: Api, *, shift_id: UUID, code: str, once: str, device: str | None = None) -> None:
    """Report the volunteer's departure. Raises Refused, SignInNeeded, ApiDown, ApiSlow."""
    queries.post_code(api, shift_id, "check-outs", code=rules.plain_code(code), once=once, device=device)


def new_device() -> str:
    """Draw what a phone is to be known by; it says nothing about the phone or its owner."""
    return secrets.token_urlsafe(DEVICE_BYTES)
