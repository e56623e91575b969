"""A synthesised season has the totals of its file, and is one that could have happened."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from math import gcd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launch.season.calls import LEAD_DAYS
from launch.season.consistency import LONGEST_MINUTES
from launch.season.facts import Attendance, Listing, Proposal, Shift, SyntheticSeason
from launch.season.file import read_season
from launch.season.form import Season
from launch.season.minutes import credited_minutes, service_minutes
from launch.season.synthesis import synthesise
from tests.launch.season.seasons import SEASON_2022, Figures, make_season

WINDOW = timedelta(minutes=30)


@dataclass(frozen=True)
class Seen:
    """One attendance with its shift and its listing."""

    attendance: Attendance
    shift: Shift
    listing: Listing


def seen(synthetic: SyntheticSeason) -> list[Seen]:
    """Every attendance with its shift: none may belong to no shift."""
    whole = synthetic.whole
    shifts = {(listing.reference, shift.number): (shift, listing) for listing, shift in shifts_of(synthetic)}
    return [Seen(row, *shifts[row.listing_reference, row.shift_number]) for row in whole.attendances]


def settled(synthetic: SyntheticSeason) -> list[Seen]:
    """The participations: those who checked out."""
    return [row for row in seen(synthetic) if row.attendance.checked_out_at is not None]


def shifts_of(synthetic: SyntheticSeason) -> Iterator[tuple[Listing, Shift]]:
    """Every shift with its listing."""
    return ((listing, shift) for listing in synthetic.whole.listings for shift in listing.shifts)


def by_fate(synthetic: SyntheticSeason) -> dict[str, list[Proposal]]:
    """The proposals by what came of them."""
    found: dict[str, list[Proposal]] = {}
    for proposal in synthetic.proposals:
        found.setdefault(proposal.fate, []).append(proposal)
    return found


def credited(synthetic: SyntheticSeason) -> int:
    """All credited minutes."""
    return sum(credited_minutes(row.attendance, row.shift, synthetic.policy) for row in seen(synthetic))


def recorded(synthetic: SyntheticSeason) -> int:
    """All service minutes."""
    return sum(service_minutes(row.attendance, row.shift) for row in seen(synthetic))


def local_date(season: Season, at: datetime) -> date:
    """The date at the programme's place."""
    return at.astimezone(season.zone).date()


@pytest.fixture(scope="module")
def season() -> Season:
    """The season of 2022."""
    return read_season(SEASON_2022, name="season-2022.toml")


@pytest.fixture(scope="module")
def synthetic(season: Season) -> SyntheticSeason:
    """The season of 2022, synthesised."""
    return synthesise(season)


def assert_totals(season: Season, synthetic: SyntheticSeason) -> None:
    """The figures of the file are the figures of the history."""
    said = season.reported.activities
    agreements = Counter((partner.agreement, partner.cohort) for partner in synthetic.partners)
    signed = {cohort: count for cohort, count in enumerate(season.reported.cohorts.signed, start=1) if count}
    assert agreements.pop(("carried_over", None), 0) == season.assumed.carried_over_partners
    assert agreements == {("signed", cohort): count for cohort, count in signed.items()}
    fates = Counter(proposal.fate for proposal in synthetic.proposals)
    assert fates["held"] == len(list(shifts_of(synthetic))) == said.held
    assert fates["held"] + fates["off"] == said.approved
    assert fates.total() == said.proposals
    assert len(synthetic.rounds) == season.reported.season.rounds
    assert len(settled(synthetic)) == said.participations
    assert credited(synthetic) == said.charity_hours * 60
    if season.step_minutes > 1:
        assert recorded(synthetic) > credited(synthetic)
    else:
        assert recorded(synthetic) == credited(synthetic)


def assert_possible(season: Season, synthetic: SyntheticSeason) -> None:
    """Everybody was in one place, in time, and where there was a place; every partner had an agreement."""
    assert_shifts_possible(season, synthetic)
    assert_people_possible(season, synthetic)
    assert_names_fit(synthetic)
    assert_proposals_possible(season, synthetic)


def assert_proposals_possible(season: Season, synthetic: SyntheticSeason) -> None:
    """Each was proposed by a partner under agreement, in a round that was published before the shift's day."""
    rounds = {each.number: each for each in synthetic.rounds}
    since = {partner.reference: partner.since for partner in synthetic.partners}
    held = {listing.reference: listing for listing in synthetic.whole.listings}
    for proposal in synthetic.proposals:
        call, (shift,) = rounds[proposal.round], proposal.listing.shifts
        assert since[proposal.listing.partner_reference] <= local_date(season, call.opens_at)
        assert local_date(season, call.publish_at) < local_date(season, shift.starts_at)
        assert local_date(season, shift.starts_at) <= season.reported.season.reporting_date
        assert local_date(season, shift.starts_at) == local_date(season, shift.ends_at)
        assert 1 <= proposal.minimum <= shift.capacity
        assert (proposal.reason is None) == (proposal.fate == "held")
    assert held == {each.listing.reference: each.listing for each in synthetic.proposals if each.fate == "held"}
    times = [(each.opens_at, each.closes_at, each.review_by, each.publish_at) for each in synthetic.rounds]
    assert all(moments == tuple(sorted(set(moments))) for moments in times)
    assert all(before.publish_at < after.opens_at for before, after in pairwise(synthetic.rounds))


def assert_shifts_possible(season: Season, synthetic: SyntheticSeason) -> None:
    """Shifts lie in the season and last one to six hours; their hosts had an agreement, and places for all."""
    since = {partner.reference: partner.since for partner in synthetic.partners}
    rows = Counter((row.attendance.listing_reference, row.shift.number) for row in seen(synthetic))
    for listing, shift in shifts_of(synthetic):
        on = local_date(season, shift.starts_at)
        assert season.assumed.first_round <= on <= season.reported.season.reporting_date
        assert on == local_date(season, shift.ends_at)
        assert since[listing.partner_reference] <= on
        assert 60 <= (shift.ends_at - shift.starts_at) // timedelta(minutes=1) <= LONGEST_MINUTES + 10
        assert 1 <= rows[listing.reference, shift.number] <= shift.capacity
        assert synthetic.policy.effective_from <= shift.starts_at


def assert_people_possible(season: Season, synthetic: SyntheticSeason) -> None:
    """Check-ins lie in their window, before the check-outs, and never two on one day for one person."""
    days: set[tuple[str, date]] = set()
    for row in seen(synthetic):
        attendance, shift = row.attendance, row.shift
        out = attendance.checked_out_at or attendance.checked_in_at + timedelta(minutes=2)
        assert shift.starts_at - WINDOW <= attendance.checked_in_at < shift.ends_at
        assert attendance.checked_in_at + timedelta(minutes=2) <= out <= shift.ends_at + WINDOW
        day = (attendance.employee_number, local_date(season, shift.starts_at))
        assert day not in days
        days.add(day)


def assert_names_fit(synthetic: SyntheticSeason) -> None:
    """References are unique, and every volunteer and partner that is named is there."""
    whole = synthetic.whole
    volunteers = [volunteer.employee_number for volunteer in synthetic.volunteers]
    partners = [partner.reference for partner in synthetic.partners]
    listings = [proposal.listing.reference for proposal in synthetic.proposals]
    for names in (volunteers, partners, listings):
        assert len(set(names)) == len(names)
    assert {row.employee_number for row in whole.attendances} == set(volunteers)
    assert {listing.partner_reference for listing in whole.listings} <= set(partners)
    for listing in whole.listings:
        assert [shift.number for shift in listing.shifts] == [1]
    starts = [proposal.listing.shifts[0].starts_at.date() for proposal in synthetic.proposals]
    assert all(before <= after + timedelta(days=1) for before, after in pairwise(starts))


def assert_live_day(season: Season, synthetic: SyntheticSeason) -> None:
    """The live day is small, scanned, on the reporting date and shows what never settles, if anything does."""
    live, on = synthetic.live, season.reported.season.reporting_date
    shifts = [shift for listing in live.listings for shift in listing.shifts]
    assert synthetic.live_on == on
    assert {local_date(season, shift.starts_at) for shift in shifts} == {on}
    assert 1 <= len(shifts) <= 3
    assert len({listing.partner_reference for listing in live.listings}) == len(live.listings)
    assert {row.evidence for row in live.attendances} == {"scanned"}
    assert {row.listing_reference for row in live.attendances} == {listing.reference for listing in live.listings}
    if season.reported.activities.held > 1:
        assert len(live.attendances) <= 60
        assert synthetic.history.listings
    if any(row.checked_out_at is None for row in synthetic.whole.attendances):
        assert any(row.checked_out_at is None for row in live.attendances)


class TestSeasonOf2022:
    def test_has_the_figures_of_the_report(self, season: Season, synthetic: SyntheticSeason) -> None:
        """Whoever knows the report recognises the season."""
        agreements = Counter(partner.agreement for partner in synthetic.partners)

        assert agreements == {"signed": 73, "carried_over": 10}
        assert len(list(shifts_of(synthetic))) == 1_610
        assert len(settled(synthetic)) == 22_856
        assert credited(synthetic) == 3_633_180
        assert_totals(season, synthetic)

    def test_could_have_happened(self, season: Season, synthetic: SyntheticSeason) -> None:
        """The product's own checks must not refuse a single row of it."""
        assert_possible(season, synthetic)
        assert_live_day(season, synthetic)

    def test_loses_a_few_percent_below_the_step(self, synthetic: SyntheticSeason) -> None:
        """The demo shows why recorded and credited hours differ; it must be visible and not absurd."""
        assert 1.01 < recorded(synthetic) / credited(synthetic) < 1.05

    def test_has_six_percent_late_arrivals(self, synthetic: SyntheticSeason) -> None:
        """The share of the file is the share of the history."""
        late = sum(row.attendance.checked_in_at > row.shift.starts_at for row in settled(synthetic))

        assert late == round(22_856 * 0.06)

    def test_recovers_most_missed_check_ins_and_lets_the_others_lapse(self, synthetic: SyntheticSeason) -> None:
        """Eleven percent of all who came missed a scan; four fifths of them were made up for."""
        rows = seen(synthetic)
        lapsed = len(rows) - 22_856
        evidence = Counter(row.attendance.evidence for row in settled(synthetic))

        assert (lapsed, evidence["attested"], evidence["claimed"]) == (514, 1_371, 686)
        assert (lapsed + 1_371 + 686) / len(rows) == pytest.approx(0.11, abs=0.001)

    def test_fills_half_of_the_places(self, synthetic: SyntheticSeason) -> None:
        """The sign-up fill rate is one of the season's figures."""
        places = sum(shift.capacity for _, shift in shifts_of(synthetic))

        assert len(synthetic.whole.attendances) / places == pytest.approx(0.52, abs=0.0001)

    def test_rests_on_a_few_busy_partners(self, synthetic: SyntheticSeason) -> None:
        """Signed partners are not equally active: the report names it as a problem."""
        held = Counter(listing.partner_reference for listing, _ in shifts_of(synthetic))
        busiest = sum(count for _, count in held.most_common(83 // 5))

        assert busiest > 0.4 * 1_610
        assert len(held) > 60

    def test_is_low_in_spring_and_high_in_autumn(self, season: Season, synthetic: SyntheticSeason) -> None:
        """The epidemic kept the supply low in the first half of the year."""
        months = Counter(local_date(season, shift.starts_at).month for _, shift in shifts_of(synthetic))

        assert sum(months[month] for month in (3, 4, 5, 6)) < 0.25 * 1_610
        assert sum(months[month] for month in (9, 10, 11)) > 0.4 * 1_610
        assert max(months, key=months.__getitem__) == 10

    def test_is_proposed_week_by_week(self, season: Season, synthetic: SyntheticSeason) -> None:
        """Each of the forty rounds has something to review, the busy ones of autumn up to a hundred or so."""
        sizes = Counter(proposal.round for proposal in synthetic.proposals)

        assert sorted(sizes) == list(range(1, 41))
        assert max(sizes.values()) < 150
        assert [local_date(season, each.opens_at) for each in synthetic.rounds] == [
            date(2022, 3, 14) + timedelta(days=7 * week) for week in range(40)
        ]

    def test_says_why_proposals_came_to_nothing(self, synthetic: SyntheticSeason) -> None:
        """Most approved shifts that were not held had too few people; the epidemic took some."""
        why = {
            fate: Counter(it.reason for it in synthetic.proposals if it.fate == fate) for fate in ("off", "rejected")
        }

        assert (why["off"].total(), why["rejected"].total()) == (561, 464)
        assert why["off"]["too_few"] > 280
        assert "force_majeure" in why["off"]
        assert len(why["rejected"]) == 5

    def test_leaves_something_to_claim_on_the_live_day(self, synthetic: SyntheticSeason) -> None:
        """What was missed in the last week is recovered by claims, so each of it is as a confirmed claim is."""
        rows = [row for row in seen(synthetic) if row.shift.starts_at >= synthetic.claims_from]
        recovered = [row.attendance for row in rows if row.attendance.evidence != "scanned"]

        assert 40 <= len(recovered) <= 200
        assert {row.evidence for row in recovered} == {"attested"}

    def test_has_a_heavy_tail_of_volunteers(self, synthetic: SyntheticSeason) -> None:
        """Most come once or twice, a few dozens of times."""
        counts = Counter(row.attendance.employee_number for row in settled(synthetic))

        assert 2.5 < 22_856 / len(counts) < 3.2
        assert max(counts.values()) >= 24
        assert sum(count == 1 for count in counts.values()) > 0.3 * len(counts)

    def test_has_crowds_of_every_size(self, synthetic: SyntheticSeason) -> None:
        """Some shifts are a handful of people, some a hundred."""
        crowds = Counter((row.listing.reference, row.shift.number) for row in settled(synthetic)).values()

        assert min(crowds) <= 3
        assert max(crowds) >= 60

    def test_plays_three_shifts_live(self, synthetic: SyntheticSeason) -> None:
        """The live day is to be watched, not waited for."""
        assert len(synthetic.live.listings) == 3
        assert 10 <= len(synthetic.live.attendances) <= 60

    def test_names_nobody(self, synthetic: SyntheticSeason) -> None:
        """Nobody can take a synthetic partner, activity or person for a real one."""
        assert all(volunteer.display_name.startswith("合成志愿者 ") for volunteer in synthetic.volunteers)
        assert all(partner.name.startswith("合成伙伴 ") for partner in synthetic.partners)
        assert all(" Synthetic Partner " in partner.name for partner in synthetic.partners)
        assert all(listing.title.startswith("【合成】") for listing in synthetic.whole.listings)

    def test_agreements_begin_when_they_may(self, season: Season, synthetic: SyntheticSeason) -> None:
        """Carried-over ones before the first round, signed ones after the publicity period."""
        opened = season.assumed.cohort_opened
        for partner in synthetic.partners:
            if partner.cohort is None:
                assert partner.since < date(2022, 3, 14)
            else:
                assert partner.since > opened[partner.cohort - 1] + timedelta(days=30)

    def test_has_the_policy_of_the_file(self, synthetic: SyntheticSeason) -> None:
        """It is in force from the first moment of the first round's day in Shanghai."""
        policy = synthetic.policy

        assert (policy.rate_fen_per_hour, policy.step_minutes, policy.min_minutes) == (10_000, 30, 30)
        assert policy.max_minutes == 480
        assert policy.effective_from == datetime(2022, 3, 13, 16, tzinfo=UTC)


class TestChance:
    def test_the_same_file_gives_the_same_season_everywhere(self, synthetic: SyntheticSeason) -> None:
        """A figure that someone found in the demo is found again, on any machine and any Python."""
        rows = (
            f"{row.listing_reference} {row.shift_number} {row.employee_number} {row.evidence}"
            f" {row.checked_in_at.isoformat()} {row.checked_out_at and row.checked_out_at.isoformat()}"
            for row in synthetic.whole.attendances
        )

        assert sha256("\n".join(rows).encode()).hexdigest()[:16] == "216094d1ed1f9586"
        proposals = (f"{it.listing} {it.round} {it.minimum} {it.fate} {it.reason}" for it in synthetic.proposals)
        assert sha256("\n".join(proposals).encode()).hexdigest()[:16] == "2c0e355fda496f18"

    def test_twice_in_one_process_is_the_same(self) -> None:
        """No state is left over from the first time."""
        season = make_season(held=5, participations=40, charity_hours=Decimal(70))

        assert synthesise(season) == synthesise(season)

    def test_another_seed_is_another_season_with_the_same_totals(self) -> None:
        """The totals come from the file, the rest from the seed."""
        seasons = [make_season(held=5, participations=40, charity_hours=Decimal(70), seed=seed) for seed in (1, 2)]
        one, other = map(synthesise, seasons)

        assert one != other
        assert credited(one) == credited(other) == 4_200


class TestOtherSeasons:
    def test_the_smallest_season_is_all_live(self) -> None:
        """One shift with one person: nothing is left to import."""
        synthetic = synthesise(make_season())

        assert (synthetic.history.listings, synthetic.history.attendances) == ((), ())
        assert len(synthetic.live.attendances) == len(synthetic.volunteers) == 1
        assert credited(synthetic) == 60

    def test_a_season_five_times_as_large(self) -> None:
        """The programme grows; so do cohorts, rate and step."""
        season = make_season(
            first_round=date(2023, 9, 4),
            reporting_date=date(2024, 8, 30),
            opened=(date(2023, 8, 1), date(2023, 11, 1), date(2024, 1, 10), date(2024, 3, 5)),
            signed=(140, 90, 100, 40),
            publicity_days=15,
            carried_over=45,
            held=8_050,
            participations=114_280,
            charity_hours=Decimal(302_765),
            rate=12_000,
            step=15,
            rounds=51,
            timezone="America/New_York",
        )
        synthetic = synthesise(season)

        assert_totals(season, synthetic)
        assert_possible(season, synthetic)
        assert_live_day(season, synthetic)

    @pytest.mark.parametrize("step", [10, 15, 20, 30, 60, 360])
    def test_even_six_hours_for_everybody_record_more_than_is_credited(self, step: int) -> None:
        """At the upper bound nobody misses a step; the last shift then lasts a little longer."""
        synthetic = synthesise(make_season(held=3, participations=9, charity_hours=Decimal(54), step=step))

        assert credited(synthetic) == 54 * 60 < recorded(synthetic)

    @pytest.mark.parametrize("step", [1, 10, 15, 20, 30, 60])
    def test_one_step_for_everybody_is_enough(self, step: int) -> None:
        """At the lower bound everybody stays for a moment and is credited with one step."""
        hours = Decimal(60 * step) / 60
        season = make_season(held=4, participations=60, charity_hours=hours, step=step)
        synthetic = synthesise(season)

        assert_totals(season, synthetic)
        assert_possible(season, synthetic)

    def test_a_crowd_that_comes_on_one_day_is_as_many_people(self) -> None:
        """Nobody is in two places: a season of one day needs a person for each participation."""
        season = make_season(held=20, participations=300, charity_hours=Decimal(600), missed=Decimal(0))
        synthetic = synthesise(season)

        assert len(synthetic.volunteers) == 300
        assert_possible(season, synthetic)

    def test_without_missed_check_ins_everything_is_scanned_and_settles(self) -> None:
        """A share of nothing is nothing."""
        season = make_season(held=9, participations=90, charity_hours=Decimal(200), missed=Decimal(0), late=Decimal(0))
        synthetic = synthesise(season)

        assert {row.evidence for row in synthetic.whole.attendances} == {"scanned"}
        assert len(synthetic.whole.attendances) == 90
        assert all(row.attendance.checked_in_at < row.shift.starts_at for row in seen(synthetic))

    def test_nobody_holds_a_shift_before_the_first_agreement(self) -> None:
        """Without carried-over partners the first rounds find no host, and the season begins later."""
        season = make_season(
            first_round=date(2023, 3, 6),
            reporting_date=date(2023, 6, 30),
            rounds=16,
            carried_over=0,
            opened=(date(2023, 4, 3),),
            signed=(4,),
            publicity_days=30,
            held=50,
            participations=200,
            charity_hours=Decimal(400),
        )
        starts = [local_date(season, shift.starts_at) for _, shift in shifts_of(synthesise(season))]

        assert min(starts) > date(2023, 5, 8)

    def test_on_the_live_day_every_credit_survives_a_delay_of_twenty_seconds(self) -> None:
        """Calls over HTTP take a moment; with a step of a minute there is no other slack."""
        season = make_season(held=2, participations=30, charity_hours=Decimal(40), step=1, late=Decimal(1))
        synthetic = synthesise(season)
        live = {listing.reference for listing in synthetic.live.listings}
        rows = [row for row in settled(synthetic) if row.listing.reference in live]

        assert any(row.attendance.checked_in_at > row.shift.starts_at for row in rows)
        for row in rows:
            minutes = credited_minutes(row.attendance, row.shift, synthetic.policy)
            for early, late in ((0, 20), (20, 0)):
                moved = delayed(row.attendance, check_in=early, check_out=late)
                assert credited_minutes(moved, row.shift, synthetic.policy) == minutes


def delayed(attendance: Attendance, *, check_in: int, check_out: int) -> Attendance:
    """The same attendance, recorded some seconds later."""
    assert attendance.checked_out_at is not None
    return Attendance(
        attendance.listing_reference,
        attendance.shift_number,
        attendance.employee_number,
        attendance.checked_in_at + timedelta(seconds=check_in),
        attendance.checked_out_at + timedelta(seconds=check_out),
        attendance.evidence,
    )


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    """Any consistent season of a bearable size."""
    reporting = draw(st.dates(date(2001, 6, 1), date(2100, 12, 31)))
    first = reporting - timedelta(days=draw(st.integers(LEAD_DAYS, 400)))
    clear_days = draw(st.integers(0, 60))
    cleared = sorted(draw(st.sets(st.integers(0, 200), max_size=4)), reverse=True)
    opened = tuple(reporting - timedelta(days=clear_days + days) for days in cleared)
    signed = tuple(draw(st.integers(0, 6)) for _ in opened)
    rounds = draw(st.integers(1, (reporting - first).days // 7 + 1))
    last = first + timedelta(days=7 * (min(rounds, ((reporting - first).days - LEAD_DAYS) // 7 + 1) - 1))
    is_one_ready = any(
        count and reporting - timedelta(days=days) < last for count, days in zip(signed, cleared, strict=True)
    )
    held = draw(st.integers(1, 40))
    people = held + draw(st.integers(0, 200))
    step = draw(st.sampled_from((1, 10, 15, 20, 30, 45, 60, 90)))
    unit = 3 // gcd(step, 3)  # Only every third step is a decimal number of hours.
    steps = unit * draw(st.integers(-(-people // unit), people * (LONGEST_MINUTES // step) // unit))
    return Figures(
        first_round=first,
        reporting_date=reporting,
        rounds=rounds,
        rate=60 // gcd(step, 60) * draw(st.integers(1, 5_000)),
        opened=opened,
        signed=signed,
        publicity_days=clear_days,
        carried_over=draw(st.integers(0 if is_one_ready else 1, 9)),
        held=held,
        off=draw(st.integers(0, 20)),
        rejected=draw(st.integers(0, 20)),
        participations=people,
        charity_hours=Decimal(steps * step) / 60,
        seed=draw(st.integers(0, 2**63 - 1)),
        timezone=draw(st.sampled_from(("Asia/Shanghai", "UTC", "America/Los_Angeles", "Asia/Kathmandu"))),
        late=draw(st.decimals(0, 1, places=2)),
        missed=draw(st.decimals(0, 1, places=2)),
        fill=draw(st.decimals("0.01", 1, places=2)),
        step=step,
    )


@given(figures())
@settings(max_examples=150, deadline=None)
def test_every_consistent_season_is_met_exactly(other: Figures) -> None:
    """The file decides the totals, whatever they are; none of them is out of reach."""
    season = read_season(other.text, name="other.toml")
    synthetic = synthesise(season)

    assert_totals(season, synthetic)
    assert_possible(season, synthetic)
    assert_live_day(season, synthetic)


class TestMinutes:
    @pytest.mark.parametrize(
        ("arrival", "departure", "service", "credit"),
        [
            (-600, 7_800, 120, 120),
            (0, 7_200, 120, 120),
            (1, 7_200, 119, 90),
            (0, 7_199, 119, 90),
            (1_800, 7_200, 90, 90),
            (0, 1_800, 30, 30),
            (0, 1_799, 29, 0),
            (-600, -60, 0, 0),
            (0, None, 0, 0),
        ],
    )
    def test_counts_whole_steps_of_the_time_within_the_shift(
        self, arrival: int, departure: int | None, service: int, credit: int
    ) -> None:
        """Everybody can check by hand what was recorded and what was credited."""
        starts_at = datetime(2022, 5, 1, 1, tzinfo=UTC)
        shift = Shift(number=1, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2), capacity=1)
        out = None if departure is None else starts_at + timedelta(seconds=departure)
        row = Attendance("A00001", 1, "E000001", starts_at + timedelta(seconds=arrival), out, "scanned")
        policy = synthesise(make_season()).policy

        assert (service_minutes(row, shift), credited_minutes(row, shift, policy)) == (service, credit)
