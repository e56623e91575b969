"""What the figures of a season must say together. Each rule is listed, with its reason, in examples/README.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from launch.season.calls import LEAD_DAYS, last_call
from launch.season.form import Season

LONGEST_MINUTES = 360  # A synthetic shift lasts six hours at most; so nobody can be credited with more.
_WHOLE_PERCENT = 100
_LEAST_FILL_RATE = Decimal("0.01")  # Places are people divided by it, and must not grow without limit.


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied to one key: whether it holds, and what to say when it does not."""

    key: str
    expected: str
    found: object
    holds: bool

    def __str__(self) -> str:
        """Name the key, what was expected and what was found, in one line."""
        return f"{self.key}: expected {self.expected}, found {self.found}"


def checks(season: Season) -> Iterator[Check]:
    """Apply every rule, in an order in which a later one may rely on the earlier ones having held."""
    yield from _calendar(season)
    yield from _cohorts(season)
    yield from _partners(season)
    yield from _activities(season)
    yield from _credit(season)
    yield from _policy(season)
    yield from _money(season)
    yield from _unpaid(season)
    yield from _funding(season)


def _calendar(season: Season) -> Iterator[Check]:
    """The weekly rounds fit between the first one and the day of the report."""
    end = season.reported.season.reporting_date
    first = season.assumed.first_round
    rounds = season.reported.season.rounds
    fitting = (end - first).days // 7 + 1
    latest = end - timedelta(days=LEAD_DAYS)
    expected = f"a date up to {latest}: a shift can be {LEAD_DAYS} days after its call opened, by reporting_date {end}"
    yield Check("assumed.first_round", expected, first, first <= latest)
    key, found = "reported.season.rounds", f"{rounds}"
    yield Check(key, f"at most {fitting} weekly rounds from {first} to {end}", found, rounds <= fitting)


def _cohorts(season: Season) -> Iterator[Check]:
    """Each cohort has one entry in every list, and the cohorts follow one another."""
    said, opened = season.reported.cohorts, season.assumed.cohort_opened
    count = len(said.months)
    expected = f"{count} entries as in reported.cohorts.months"
    yield _same_length("reported.cohorts.shortlisted", expected, len(said.shortlisted), count)
    yield _same_length("reported.cohorts.signed", expected, len(said.signed), count)
    yield _same_length("assumed.cohort_opened", expected, len(opened), count)
    in_order = all(before <= after for before, after in pairwise(said.months))
    yield Check("reported.cohorts.months", "dates in ascending order", _dates(said.months), in_order)
    ascending = all(before < after for before, after in pairwise(opened))
    yield Check("assumed.cohort_opened", "dates in strictly ascending order", _dates(opened), ascending)
    for index in range(count):
        yield from _cohort(season, index)


def _cohort(season: Season, index: int) -> Iterator[Check]:
    """Nobody opens before the call, and nobody signs unlisted or before the publicity period is over."""
    said, end = season.reported.cohorts, season.reported.season.reporting_date
    signed, shortlisted = said.signed[index], said.shortlisted[index]
    key = f"reported.cohorts.signed[{index}]"
    yield Check(key, f"at most shortlisted[{index}] = {shortlisted}", signed, signed <= shortlisted)
    opened, month = season.assumed.cohort_opened[index], said.months[index]
    key = f"assumed.cohort_opened[{index}]"
    yield Check(key, f"a date from months[{index}] = {month} on", opened, opened >= month)
    clears = opened + timedelta(days=said.publicity_days if signed else 0)
    expected = f"a date whose publicity period is over by reporting_date {end}"
    yield Check(key, expected, f"{opened}, over on {clears}", clears <= end)


def _partners(season: Season) -> Iterator[Check]:
    """Somebody has to hold the shifts, and to propose them before."""
    key, count = "assumed.carried_over_partners", season.partner_count
    expected = "at least 1 partner, carried over or in reported.cohorts.signed"
    yield Check(key, expected, count, count >= 1)
    carried, last = season.assumed.carried_over_partners, last_call(season)
    days = timedelta(days=season.reported.cohorts.publicity_days)
    pairs = zip(season.assumed.cohort_opened, season.reported.cohorts.signed, strict=True)
    is_one_ready = carried >= 1 or any(signed and opened + days < last for opened, signed in pairs)
    expected = f"at least 1, or a cohort that signs before the last call of which there can be shifts, on {last}"
    yield Check(key, expected, carried, is_one_ready)


def _activities(season: Season) -> Iterator[Check]:
    """Proposals, approvals and held shifts are a funnel; each held shift had somebody, and some of the places."""
    said = season.reported.activities
    approved, held = said.approved, said.held
    key = "reported.activities."
    yield Check(f"{key}approved", f"at most proposals = {said.proposals}", approved, approved <= said.proposals)
    yield Check(f"{key}held", f"at most approved = {approved}", held, held <= approved)
    expected = f"at least one for each of held = {held}"
    yield Check(f"{key}participations", expected, said.participations, said.participations >= held)
    rate = season.assumed.signup_fill_rate
    yield Check("assumed.signup_fill_rate", f"at least {_LEAST_FILL_RATE}", rate, rate >= _LEAST_FILL_RATE)


def _credit(season: Season) -> Iterator[Check]:
    """The charity hours can be made of whole hour steps, at least one and at most six hours a participation."""
    key, step, minutes = "reported.activities.charity_hours", season.step_minutes, season.exact_minutes
    people, found = season.reported.activities.participations, f"{season.reported.activities.charity_hours} hours"
    expected = f"hours that are whole steps of {step} minutes"
    yield Check(key, expected, found, minutes.denominator == 1 and minutes.numerator % step == 0)
    least, most = people * step, people * (LONGEST_MINUTES // step * step)
    expected = f"{least} to {most} minutes for {people} participations in steps of {step}"
    yield Check(key, expected, f"{found} = {minutes} minutes", least <= minutes <= most)


def _policy(season: Season) -> Iterator[Check]:
    """Every donation is its hours times the rate, exactly."""
    rate, step = season.reported.season.rate_fen_per_hour, season.step_minutes
    expected = f"a whole number of fen for a step of {step} minutes"
    found = f"{rate} fen an hour = {Fraction(rate * step, 60)} fen a step"
    yield Check("reported.season.rate_fen_per_hour", expected, found, rate * step % 60 == 0)
    for evidence, percent in season.assumed.policy.evidence_share_percent:
        yield Check(f"assumed.policy.evidence_share_percent.{evidence}", "100", percent, percent == _WHOLE_PERCENT)


def _money(season: Season) -> Iterator[Check]:
    """What is owed comes from the hours; what is unpaid is the rest of it."""
    money, disbursed = season.assumed.money, season.reported.money.disbursed_fen
    rate = season.reported.season.rate_fen_per_hour
    accrued = season.credited_minutes * rate // 60
    expected = f"charity_hours x rate_fen_per_hour = {accrued}"
    yield Check("assumed.money.accrued_fen", expected, money.accrued_fen, money.accrued_fen == accrued)
    yield Check("reported.money.disbursed_fen", f"at most accrued_fen = {accrued}", disbursed, disbursed <= accrued)
    unpaid = accrued - disbursed
    expected = f"accrued_fen - disbursed_fen = {unpaid}"
    yield Check("assumed.money.unpaid_fen", expected, money.unpaid_fen, money.unpaid_fen == unpaid)


def _unpaid(season: Season) -> Iterator[Check]:
    """The reasons cover what is unpaid, all of it and once."""
    money = season.assumed.money
    total = sum(map(Fraction, money.unpaid_reasons.values()), start=Fraction(0))
    nothing = not money.unpaid_reasons and money.unpaid_fen == 0
    found = f"{float(total):.12g}"
    yield Check("assumed.money.unpaid_reasons", "shares that sum to 1", found, nothing or total == 1)


def _funding(season: Season) -> Iterator[Check]:
    """Money is pledged before it is received or owed, and received before it is paid."""
    assumed, accrued = season.assumed, season.assumed.money.accrued_fen
    pledged, received, disbursed = assumed.pledged_fen, assumed.received_fen, season.reported.money.disbursed_fen
    expected = f"at least accrued_fen = {accrued}"
    yield Check("assumed.pledged_fen", expected, pledged, pledged >= accrued)
    yield Check("assumed.received_fen", f"at most pledged_fen = {pledged}", received, received <= pledged)
    expected = f"at least disbursed_fen = {disbursed}"
    yield Check("assumed.received_fen", expected, received, received >= disbursed)


def _same_length(key: str, expected: str, found: int, count: int) -> Check:
    """Compare the length of a list with the number of cohorts."""
    return Check(key, expected, found, found == count)


def _dates(days: tuple[date, ...]) -> str:
    """Write dates as the file does."""
    return f"[{', '.join(map(str, days))}]"
