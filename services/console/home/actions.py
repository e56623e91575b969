"""What is done from the first page; the APIs decide."""

from uuid import UUID

from services.console.shell.queries import Api, post


def sign_up(api: Api, *, shift_id: UUID, once: str) -> None:
    """Take a place on a shift; again changes nothing. Raises Refused, SignInNeeded, ApiDown, ApiSlow."""
    post(api, f"/api/activities/shifts/{shift_id}/sign-ups", once=once)
