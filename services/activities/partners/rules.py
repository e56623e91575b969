"""What a partner may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from shared.errors import Conflict, Invalid, Title

BARRED = frozenset({"suspended", "exited"})  # Who stands there proposes nothing; what is published happens.


class UnknownPartner(Invalid):
    """There is no such partner in the programme."""

    code = "unknown_partner"
    title = Title(zh="没有这个伙伴机构", en="There is no such partner")


class KeptByPartners(Conflict):
    """The partners service tells this partner's facts; nobody else changes them."""

    code = "kept_by_partners"
    title = Title(zh="该机构的信息由伙伴机构服务维护", en="The partners service keeps what is known of this partner")


class NoAgreement(Conflict):
    """On that day no agreement with the partner is in force."""

    code = "no_agreement_in_force"
    title = Title(zh="该日期不在合作协议有效期内", en="No agreement with the partner is in force on that day")


class PartnerPaused(Conflict):
    """The partner rests on that day, by its own wish."""

    code = "partner_paused"
    title = Title(zh="机构在该日期已申请暂停合作", en="The partner has paused on that day")


class PartnerBarred(Conflict):
    """The partner's standing allows no new proposals; `standing` and `cause` say why."""

    code = "partner_barred"
    title = Title(zh="机构当前的合作状态不允许提交新活动", en="The partner's standing allows no new proposals")


class QuotaUsedUp(Conflict):
    """The partner has made as many proposals for the round as its standing allows."""

    code = "quota_used_up"
    title = Title(zh="本轮可提交的活动数已用完", en="The partner has used up its quota for this round")


class ImpossibleDates(Invalid):
    """An interval that was told ends before it begins, or has an end and no beginning."""

    code = "impossible_dates"
    title = Title(zh="日期先后有误", en="The dates cannot be")


class PartnerContradicted(Conflict):
    """What was told of a partner contradicts what is known: its programme, or who has its reference."""

    code = "partner_contradicted"
    title = Title(zh="与已登记的机构信息冲突", en="It contradicts what is known of partners")


@dataclass(frozen=True, slots=True)
class Footing:
    """What decides on whether a partner may propose; days are local, ends are excluded."""

    valid_from: date
    valid_until: date | None = None
    paused_from: date | None = None
    paused_until: date | None = None
    standing: str = "good"
    weekly_quota: int | None = None
    cause: str | None = None


class Told(Protocol):
    """A fact about a partner, of which the latest version holds."""

    @property
    def programme_id(self) -> UUID:
        """The programme."""

    @property
    def partner_id(self) -> UUID:
        """The partner."""

    @property
    def version(self) -> int:
        """Counts up."""


T = TypeVar("T", bound=Told)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a partner stands, by one version of it."""

    programme_id: UUID
    partner_id: UUID
    version: int
    standing: str
    weekly_quota: int | None
    cause: str | None
    effective_at: datetime


def newest(told: Iterable[T]) -> list[T]:
    """Keep of each partner's facts the latest version, in order of the partners' ids; of equal ones the first told."""
    latest: dict[tuple[UUID, UUID], T] = {}
    for fact in told:
        known = latest.setdefault((fact.partner_id, fact.programme_id), fact)
        if fact.version > known.version:
            latest[fact.partner_id, fact.programme_id] = fact
    return [latest[key] for key in sorted(latest)]


def require_interval(from_on: date | None, until_on: date | None, **facts: object) -> None:
    """Refuse an interval that is none. Raises ImpossibleDates."""
    if until_on is not None and (from_on is None or until_on <= from_on):
        raise ImpossibleDates(**facts)


def is_in(day: date, from_on: date | None, until_on: date | None) -> bool:
    """Say whether a day lies in a half-open interval; without a beginning there is none."""
    return from_on is not None and from_on <= day and (until_on is None or day < until_on)


def require_may_propose(footing: Footing, *, on: date) -> None:
    """Refuse new proposals of whoever may make none, on a local day. Raises PartnerBarred, NoAgreement, PartnerPaused.

    Source: DOMAIN.md section 3, "Standing": shifts that are published happen whatever is said here.
    """
    if footing.standing in BARRED:
        raise PartnerBarred(standing=footing.standing, cause=footing.cause)
    if not is_in(on, footing.valid_from, footing.valid_until):
        raise NoAgreement(on=on, valid_from=footing.valid_from, valid_until=footing.valid_until)
    if is_in(on, footing.paused_from, footing.paused_until):
        raise PartnerPaused(on=on, paused_until=footing.paused_until)


def require_quota(footing: Footing, *, made: int) -> None:
    """Refuse one more proposal for a round than the standing allows, after `made` of them. Raises QuotaUsedUp."""
    if footing.weekly_quota is not None and made >= footing.weekly_quota:
        raise QuotaUsedUp(quota=footing.weekly_quota, made=made)


def require_same(*, partner_id: UUID, programme_id: UUID, known_in: UUID | None, holder_id: UUID | None) -> None:
    """Refuse a partner that is known in another programme, or whose reference another has. Raises PartnerContradicted.

    One that an operator noted under an id of our own is another: its listings cannot be moved to a new id unseen.
    """
    if known_in not in {None, programme_id}:
        raise PartnerContradicted(partner_id=partner_id, known_in=known_in)
    if holder_id not in {None, partner_id}:
        raise PartnerContradicted(partner_id=partner_id, holder_id=holder_id)


def require_not_told(agreement_version: int) -> None:
    """Refuse to note what the partners service tells. Raises KeptByPartners."""
    if agreement_version > 0:
        raise KeptByPartners
