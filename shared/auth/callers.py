"""Who is calling."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from shared.auth.scopes import Scope
from shared.errors import Invalid, NotAllowed, Refusal, Title
from shared.roles import PERMISSIONS, Reach, Role, reach_of

PROGRAMME_HEADER = "Popcandy-Programme"
SERVICES = UUID("8d6f2f5e-6a52-5c0e-9d55-0b6c7d0e2a41")  # The namespace of the ids of services.


class NotAuthenticated(Refusal):
    """Nobody we know is calling; the only refusal that HTTP answers with 401."""

    code = "not_authenticated"
    title = Title(zh="请先登录", en="Sign in first")


class UnclearCredentials(Refusal):
    """A request carries credentials twice, or where they would be written into logs; HTTP answers with 400."""

    code = "unclear_credentials"
    title = Title(zh="登录凭证的传递方式有误", en="Credentials must come once, in the Authorization header")


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


class ProgrammeDiffers(NotAllowed):
    """A request names another programme than its token."""

    code = "programme_differs"
    title = Title(zh="您的登录属于另一个项目", en="Your sign-in is for another programme")


class ProgrammeNeeded(Invalid):
    """A service calls and does not say for which programme."""

    code = "programme_needed"
    title = Title(zh="请指明项目", en="Say for which programme")


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified person, acting in one programme and, if a partner's member, for one partner; or a service of ours."""

    person_id: UUID  # Of a service its own id (`service_id`), which is nobody's.
    programme_id: UUID
    roles: frozenset[Role]
    partner_id: UUID | None = None
    service: str | None = None
    reach: Reach = Reach.PERSON  # Of the permission in which they act.

    @property
    def name(self) -> str:
        """Say who it is in a log: an id, or a service's name."""
        return str(self.person_id) if self.service is None else f"service:{self.service}"

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

    @property
    def scope(self) -> Scope:
        """Whose rows this caller sees: their own, their partner's, or all of the programme's. Raises NoPartner."""
        if self.reach is Reach.PERSON:
            return Scope(self.programme_id, volunteer_id=self.person_id)
        return Scope(self.programme_id, partner_id=self.partner_scope)

    def require_partner(self, partner_id: UUID) -> None:
        """Refuse a partner's member who acts on another partner's things. Raises OtherPartner, NoPartner."""
        if self.partner_scope is not None and self.partner_scope != partner_id:
            raise OtherPartner


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token says of who carries it. A person's names one programme, a service's usually none."""

    id: UUID
    roles: frozenset[Role]
    programme_id: UUID | None
    partner_id: UUID | None = None
    service: str | None = None

    def calling_in(self, programme_id: UUID | None) -> Caller:
        """Return the caller in the programme of the token, or else in the one that the request names.

        Raises ProgrammeDiffers if they differ, ProgrammeNeeded if there is neither.
        """
        placed = self.programme_id or programme_id
        if placed is None:
            raise ProgrammeNeeded(field=PROGRAMME_HEADER)
        if programme_id not in {None, placed}:
            raise ProgrammeDiffers
        return Caller(self.id, placed, self.roles, self.partner_id, self.service)


def service_id(name: str) -> UUID:
    """Return the id under which a service of ours acts, the same everywhere."""
    return uuid5(SERVICES, name)
