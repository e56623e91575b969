"""Who is calling."""

from dataclasses import dataclass, replace
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


class NoPartner(NotAllowed):
    """A partner's member has a token that does not say of which partner."""

    code = "no_partner"
    title = Title(zh="登录信息缺少所属机构", en="Your sign-in names no partner")


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified person, acting in one programme and, if a partner's member, for one partner."""

    person_id: UUID
    programme_id: UUID
    roles: frozenset[Role]
    partner_id: UUID | None = None

    def acting(self, roles: frozenset[Role]) -> "Caller":
        """Return the caller in those of these roles that they have: what else they are must not widen what they see."""
        return replace(self, roles=self.roles & roles)

    @property
    def partner_scope(self) -> UUID | None:
        """The only partner whose rows this caller sees, as a partner's member and nothing else; None for all.

        Raises NoPartner, lest a member without a partner see as much as staff.
        """
        if self.roles != {Role.PARTNER}:
            return None
        if self.partner_id is None:
            raise NoPartner
        return self.partner_id

    def require_partner(self, partner_id: UUID) -> None:
        """Refuse a partner's member who acts on another partner's things. Raises OtherPartner, NoPartner."""
        if self.partner_scope is not None and self.partner_scope != partner_id:
            raise OtherPartner
