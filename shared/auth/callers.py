"""Who is calling."""

from dataclasses import dataclass
from uuid import UUID

from shared.errors import NotAllowed, Refusal, Title
from shared.roles import Role


class NotAuthenticated(Refusal):
    """Nobody we know is calling; the only refusal that HTTP answers with 401."""

    code = "not_authenticated"
    title = Title(zh="请先登录", en="Sign in first")


class OtherPartner(NotAllowed):
    """A partner asked for what belongs to another partner."""

    code = "other_partner"
    title = Title(zh="这不属于您的机构", en="This belongs to another partner")


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified person, acting in one programme and, if a partner's member, for one partner."""

    person_id: UUID
    programme_id: UUID
    roles: frozenset[Role]
    partner_id: UUID | None = None

    @property
    def partner_scope(self) -> UUID | None:
        """The only partner whose rows this caller sees; None for staff, who see all of the programme."""
        return self.partner_id if self.roles <= {Role.PARTNER, Role.VOLUNTEER} and Role.PARTNER in self.roles else None

    def require_partner(self, partner_id: UUID) -> None:
        """Refuse a partner's member who acts on another partner's things. Raises OtherPartner."""
        if self.partner_scope is not None and self.partner_scope != partner_id:
            raise OtherPartner
