"""Who is calling."""

from dataclasses import dataclass, replace
from uuid import UUID

from shared.errors import NotAllowed, Refusal, Title
from shared.roles import PERMISSIONS, Reach, Role, reach_of


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


class ReachesLess(Exception):
    """A route asks for a partner's rows on behalf of somebody who sees their own alone: a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified person, acting in one programme and, if a partner's member, for one partner."""

    person_id: UUID
    programme_id: UUID
    roles: frozenset[Role]
    partner_id: UUID | None = None
    reach: Reach = Reach.PERSON  # Of the permission in which they act.

    def acting(self, permission: str) -> "Caller | None":
        """Return the caller in those of their roles that have a permission, reaching as far as these; None without any.

        What else somebody is must not widen what they see.
        """
        reach = reach_of(permission, self.roles)
        if reach is None:
            return None
        return replace(self, roles=self.roles & PERMISSIONS[permission].keys(), reach=reach)

    @property
    def partner_scope(self) -> UUID | None:
        """The only partner whose rows this caller sees; None for all of the programme's.

        Raises NoPartner, lest a member without a partner see as much as staff, and ReachesLess for who sees their own.
        """
        if self.reach is Reach.PROGRAMME:
            return None
        if self.reach is not Reach.PARTNER:
            raise ReachesLess
        if self.partner_id is None:
            raise NoPartner
        return self.partner_id

    def require_partner(self, partner_id: UUID) -> None:
        """Refuse a partner's member who acts on another partner's things. Raises OtherPartner, NoPartner."""
        if self.partner_scope is not None and self.partner_scope != partner_id:
            raise OtherPartner
