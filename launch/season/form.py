"""The form of a season file: sections, keys, types and limits. What the keys must say together is in consistency.py."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _decimal_of(value: object) -> object:
    """Let a whole number stand where a fraction may: TOML writes `1`, not `1.0`."""
    return Decimal(value) if type(value) is int else value


def _require_zone(key: str) -> str:
    """Refuse a name that the time-zone database does not know. Raises ValueError."""
    try:
        ZoneInfo(key)
    except (KeyError, ValueError, OSError):  # Unknown, malformed, or the name of a folder of zones.
        raise ValueError("Timezone should be an IANA name such as Asia/Shanghai") from None
    return key


Text = Annotated[str, Field(min_length=1, max_length=200)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
Zone = Annotated[str, AfterValidator(_require_zone)]

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Some = Annotated[int, Field(ge=1, le=1_000_000)]
Fen = Annotated[int, Field(ge=0, le=10**15)]
_Exact = Annotated[Decimal, BeforeValidator(_decimal_of), Field(max_digits=16, decimal_places=9)]
Hours = Annotated[_Exact, Field(ge=0, le=6_000_000)]
Share = Annotated[_Exact, Field(ge=0, le=1)]

_Each = Field(max_length=100, strict=False)  # TOML has lists only; strict would refuse to make tuples of them.


class _Section(BaseModel):
    """A table of the file: nothing is guessed, coerced or ignored, and nothing changes after reading."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Programme(_Section):
    """Section `reported.season`."""

    programme: Text
    rounds: Annotated[int, Field(ge=1, le=5_000)]
    reporting_date: Day
    rate_fen_per_hour: Annotated[int, Field(ge=1, le=100_000_000)]
    operating_grant_fen: Fen | None = None


class Cohorts(_Section):
    """Section `reported.cohorts`: one entry per cohort in each list."""

    months: Annotated[tuple[Day, ...], _Each]
    shortlisted: Annotated[tuple[Count, ...], _Each]
    signed: Annotated[tuple[Count, ...], _Each]
    publicity_days: Annotated[int, Field(ge=0, le=366)]


class Activities(_Section):
    """Section `reported.activities`: from a proposal to a charity hour."""

    proposals: Some
    approved: Some
    held: Annotated[int, Field(ge=1, le=100_000)]
    participations: Some
    charity_hours: Hours


class Enablement(_Section):
    """Section `reported.enablement`: reported, not synthesised."""

    briefings: Count
    trainings: Count
    group_supervisions: Count
    beneficiaries: Count


class ReportedMoney(_Section):
    """Section `reported.money`."""

    disbursed_fen: Fen


class Targets(_Section):
    """Section `reported.targets_next`: reported, not synthesised."""

    activities_per_week: Count
    hours_per_head: Hours
    participations: Count
    charity_hours: Hours


class Reported(_Section):
    """What the report of the season says."""

    season: Programme
    cohorts: Cohorts
    activities: Activities
    money: ReportedMoney
    enablement: Enablement | None = None
    targets_next: Targets | None = None


class EvidenceShares(_Section):
    """What an hour of each evidence class is worth, in percent."""

    scanned: Count
    attested: Count
    claimed: Count
    manual: Count


class Matching(_Section):
    """Section `assumed.policy`: how minutes become charity hours."""

    hour_step_minutes: Annotated[int, Field(ge=1, le=360)]
    rounding: Literal["down"]
    evidence_share_percent: EvidenceShares
    caps: Literal["none"]


class AssumedMoney(_Section):
    """Section `assumed.money`: what was owed, and why some of it is not paid yet."""

    accrued_fen: Fen
    unpaid_fen: Fen
    unpaid_reasons: Mapping[Key, Share]


class Assumed(_Section):
    """What the report leaves open, chosen so that a whole season can be synthesised."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)]
    timezone: Zone
    first_round: Day
    cohort_opened: Annotated[tuple[Day, ...], _Each]
    carried_over_partners: Annotated[int, Field(ge=0, le=10_000)]
    late_arrival_share: Share
    missed_check_in_share: Share
    signup_fill_rate: Share
    pledged_fen: Fen
    received_fen: Fen
    policy: Matching
    money: AssumedMoney


class Season(_Section):
    """One season as its file states it."""

    reported: Reported
    assumed: Assumed

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the season's dates are meant."""
        return ZoneInfo(self.assumed.timezone)

    @property
    def step_minutes(self) -> int:
        """The hour step: credited minutes come in multiples of it."""
        return self.assumed.policy.hour_step_minutes

    @property
    def exact_minutes(self) -> Fraction:
        """The charity hours in minutes, before it is known that they are whole."""
        return Fraction(self.reported.activities.charity_hours) * 60

    @property
    def credited_minutes(self) -> int:
        """The charity hours in minutes; whole in every season that was read."""
        return int(self.exact_minutes)

    @property
    def partner_count(self) -> int:
        """How many partners have an agreement: signed in this season or carried over into it."""
        return sum(self.reported.cohorts.signed) + self.assumed.carried_over_partners
