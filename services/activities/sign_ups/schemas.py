"""What HTTP callers see of sign-ups."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict


class SignUp(BaseModel):
    """One person's place on one shift."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    shift_id: UUID
    volunteer_id: UUID
    signed_up_at: AwareDatetime
