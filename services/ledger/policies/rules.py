"""What a policy version says, what it makes of minutes, and who may put it in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict, Invalid, NotAllowed, Title
from shared.money import MINUTES_PER_HOUR, yuan

TIMES = "\N{MULTIPLICATION SIGN}"


class NegativeMinutes(Invalid):
    """Somebody wants to price less than no time."""

    code = "negative_minutes"
    title = Title(zh="时长不能为负", en="Minutes cannot be negative")


class PolicyPeriodEmpty(Invalid):
    """A policy version would end before it begins, or at once."""

    code = "policy_period_empty"
    title = Title(zh="配捐标准的结束时间须晚于开始时间", en="A policy version has to end after it begins")


class PolicyBoundsCrossed(Invalid):
    """A policy version's minimum is above its maximum."""

    code = "policy_bounds_crossed"
    title = Title(zh="最低时长不能大于最高时长", en="The minimum cannot be above the maximum")


class OwnPolicyApproved(NotAllowed):
    """Whoever proposed a policy version tried to approve it as well."""

    code = "own_policy_approved"
    title = Title(zh="不能批准自己提出的配捐标准", en="A policy version needs the approval of a second person")


class AlreadyApproved(Conflict):
    """The policy version is in force already; approvals are given once and never taken back."""

    code = "policy_already_approved"
    title = Title(zh="该配捐标准已获批准", en="This policy version is already approved")


class PolicyOverlap(Conflict):
    """Another approved policy version of the programme covers part of the same time."""

    code = "policy_overlap"
    title = Title(zh="与已批准的配捐标准时间重叠", en="Overlaps with an approved policy version")


class NoPolicy(Conflict):
    """No approved policy version covers the instant at which the service started."""

    code = "no_policy_in_force"
    title = Title(zh="服务开始时没有生效的配捐标准", en="No policy was in force when the service started")


class Drop(StrEnum):
    """Why recorded minutes did not become money (DOMAIN.md section 5, the waterfall)."""

    NOT_MATCHABLE = "not_matchable"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_CEILING = "above_ceiling"
    STEP_ROUNDING = "step_rounding"


DROP_TITLES = {
    Drop.NOT_MATCHABLE: Title(zh="不可配捐的时长", en="Not matchable"),
    Drop.BELOW_MINIMUM: Title(zh="不足最低时长", en="Below the minimum"),
    Drop.ABOVE_CEILING: Title(zh="超出最高时长", en="Above the ceiling"),
    Drop.STEP_ROUNDING: Title(zh="不足一个计时单位", en="Less than a whole step"),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The figures of one approved policy version, in force within `[from, until)`; without `until_at` it has no end."""

    policy_version_id: UUID
    programme_id: UUID
    from_at: datetime
    until_at: datetime | None
    fen_per_hour: int
    step_minutes: int
    min_minutes: int
    max_minutes: int


@dataclass(frozen=True, slots=True)
class Price:
    """What one attendance comes to: matchable minutes less the three drops are the credited ones."""

    credited_minutes: int
    fen: int
    below_minimum_minutes: int = 0
    above_ceiling_minutes: int = 0
    step_rounding_minutes: int = 0


NOTHING = Price(credited_minutes=0, fen=0)


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the way from recorded minutes to fen; drops are negative, `fen` stands on the last line only."""

    code: str
    zh: str
    en: str
    minutes: int
    fen: int | None = None


def price(*, minutes: int, terms: Terms) -> Price:
    """Say what the whole matchable `minutes` of one attendance are worth under one policy version.

    Below the minimum nothing counts, above the ceiling no more; steps round down, fen once, down.
    Raises NegativeMinutes. Source: DOMAIN.md section 5, "Policy versions", "Pricing".
    """
    if minutes < 0:
        raise NegativeMinutes(minutes=minutes)
    if minutes < terms.min_minutes:
        return Price(credited_minutes=0, fen=0, below_minimum_minutes=minutes)
    bounded = min(minutes, terms.max_minutes)
    rounded = bounded % terms.step_minutes
    return Price(
        credited_minutes=bounded - rounded,
        fen=(bounded - rounded) * terms.fen_per_hour // MINUTES_PER_HOUR,
        above_ceiling_minutes=minutes - bounded,
        step_rounding_minutes=rounded,
    )


def explain(*, recorded_minutes: int, matchable_minutes: int, priced: Price, terms: Terms | None) -> list[Line]:
    """Write out how recorded minutes became fen, line by line, so that a partner can check it by hand.

    Drops of 0 are left out. Without `terms` (a voided attendance) there is no last line.
    Source: DOMAIN.md section 5, "explains itself line by line".
    """
    dropped = [
        (Drop.BELOW_MINIMUM, priced.below_minimum_minutes),
        (Drop.ABOVE_CEILING, priced.above_ceiling_minutes),
        (Drop.STEP_ROUNDING, priced.step_rounding_minutes),
    ]
    lines = [Line("recorded", "服务时长", "Service minutes", recorded_minutes)]
    lines += _drops([(Drop.NOT_MATCHABLE, recorded_minutes - matchable_minutes)])
    lines += [Line("matchable", "可配捐时长", "Matchable minutes", matchable_minutes)]
    lines += _drops(dropped)
    lines += [Line("credited", "计入时长", "Credited minutes", priced.credited_minutes)]
    return lines if terms is None else [*lines, _amount(priced, terms)]


def _drops(dropped: Iterable[tuple[Drop, int]]) -> list[Line]:
    return [Line(code.value, *DROP_TITLES[code], -minutes) for code, minutes in dropped if minutes]


def _amount(priced: Price, terms: Terms) -> Line:
    steps = priced.credited_minutes // terms.step_minutes
    rate, total, version = yuan(terms.fen_per_hour), yuan(priced.fen), terms.policy_version_id
    return Line(
        "accrued",
        f"{steps} {TIMES} {terms.step_minutes} 分钟 {TIMES} {rate} 元/小时 = {total} 元（配捐标准 {version}）",
        f"{steps} {TIMES} {terms.step_minutes} min {TIMES} CNY {rate} an hour = CNY {total} (policy version {version})",
        priced.credited_minutes,
        priced.fen,
    )


def choose(versions: Iterable[Terms], *, programme_id: UUID, at: datetime) -> Terms:
    """Return the version in force when service started; there is at most one. Raises NoPolicy."""
    for terms in versions:
        begun = terms.programme_id == programme_id and terms.from_at <= at
        if begun and (terms.until_at is None or at < terms.until_at):
            return terms
    raise NoPolicy(programme_id=programme_id, started_at=at.isoformat())


def require_period(*, from_at: datetime, until_at: datetime | None) -> None:
    """Refuse a period without an instant in it. Raises PolicyPeriodEmpty."""
    if until_at is not None and until_at <= from_at:
        raise PolicyPeriodEmpty(field="effective_until")


def require_bounds(*, min_minutes: int, max_minutes: int) -> None:
    """Refuse a minimum above the maximum. Raises PolicyBoundsCrossed."""
    if min_minutes > max_minutes:
        raise PolicyBoundsCrossed(field="min_minutes")


def require_approvable(*, maker_id: UUID, approver_id: UUID, approved_at: datetime | None) -> None:
    """Refuse a second approval, and one by the maker. Raises AlreadyApproved, OwnPolicyApproved."""
    if approved_at is not None:
        raise AlreadyApproved
    if maker_id == approver_id:
        raise OwnPolicyApproved
