from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.policies import rules
from services.ledger.policies.rules import Terms
from tests.factories.ledger import JANUARY, NINE, NOW, PROGRAMME, make_terms

TERMS = make_terms()
MINUTES = st.integers(0, 2_000)


@st.composite
def some_terms(draw: st.DrawFn) -> Terms:
    least = draw(st.integers(0, 1_440))
    return make_terms(
        fen_per_hour=draw(st.integers(1, 10_000_000)),
        step_minutes=draw(st.integers(1, 60)),
        min_minutes=least,
        max_minutes=draw(st.integers(least, 1_440)),
    )


class TestPrice:
    @pytest.mark.parametrize(
        ("minutes", "fen"),
        [(0, 0), (29, 0), (30, 5_000), (59, 5_000), (60, 10_000), (119, 15_000), (480, 80_000), (481, 80_000)],
    )
    def test_counts_whole_steps_within_the_bounds(self, minutes: int, fen: int) -> None:
        """A partner can work out every donation by hand."""
        assert rules.price(minutes=minutes, terms=TERMS).fen == fen

    def test_names_each_drop(self) -> None:
        """Whoever loses minutes learns why."""
        terms = make_terms(max_minutes=470)

        assert rules.price(minutes=29, terms=terms).below_minimum_minutes == 29
        assert rules.price(minutes=500, terms=terms) == rules.Price(
            credited_minutes=450, fen=75_000, above_ceiling_minutes=30, step_rounding_minutes=20
        )

    def test_rounds_fen_down_once(self) -> None:
        """Two steps of a third of a fen's rate are rounded together, not each."""
        terms = make_terms(fen_per_hour=100, step_minutes=10, min_minutes=0)

        assert [rules.price(minutes=minutes, terms=terms).fen for minutes in (10, 20, 30)] == [16, 33, 50]

    def test_refuses_less_than_no_time(self) -> None:
        """Nobody owes for negative service."""
        with pytest.raises(rules.NegativeMinutes):
            rules.price(minutes=-1, terms=TERMS)

    @given(some_terms(), MINUTES)
    def test_every_minute_is_credited_or_dropped_for_a_reason(self, terms: Terms, minutes: int) -> None:
        """The waterfall adds up because each attendance does."""
        priced = rules.price(minutes=minutes, terms=terms)

        dropped = priced.below_minimum_minutes + priced.above_ceiling_minutes + priced.step_rounding_minutes
        assert priced.credited_minutes + dropped == minutes
        parts = (priced.credited_minutes, priced.below_minimum_minutes, priced.above_ceiling_minutes)
        assert min(*parts, priced.step_rounding_minutes) >= 0
        assert priced.credited_minutes % terms.step_minutes == 0

    @given(some_terms(), MINUTES)
    def test_is_the_rate_for_the_credited_time_rounded_down_once(self, terms: Terms, minutes: int) -> None:
        """Less than one fen is lost, and never one is gained."""
        priced = rules.price(minutes=minutes, terms=terms)

        assert 0 <= priced.credited_minutes * terms.fen_per_hour - priced.fen * 60 < 60
        assert priced.credited_minutes <= terms.max_minutes

    @given(some_terms(), MINUTES, MINUTES)
    def test_more_service_is_never_worth_less(self, terms: Terms, one: int, other: int) -> None:
        """Nobody gains by serving a shorter time."""
        less, more = sorted((one, other))

        assert rules.price(minutes=less, terms=terms).fen <= rules.price(minutes=more, terms=terms).fen


class TestExplain:
    def test_leads_from_recorded_minutes_to_fen(self) -> None:
        """Each line follows from those before it."""
        terms = make_terms(max_minutes=470)
        priced = rules.price(minutes=500, terms=terms)

        lines = rules.explain(recorded_minutes=510, matchable_minutes=500, priced=priced, terms=terms)

        assert [(line.code, line.minutes, line.fen) for line in lines] == [
            ("recorded", 510, None),
            ("not_matchable", -10, None),
            ("matchable", 500, None),
            ("above_ceiling", -30, None),
            ("step_rounding", -20, None),
            ("credited", 450, None),
            ("accrued", 450, 75_000),
        ]
        assert lines[-1].en == (
            f"15 \N{MULTIPLICATION SIGN} 30 min \N{MULTIPLICATION SIGN} CNY 100.00 an hour = CNY 750.00 "
            f"(policy version {terms.policy_version_id})"
        )
        assert "750.00 元" in lines[-1].zh

    def test_a_short_service_ends_at_nothing(self) -> None:
        """Below the minimum a partner reads why there is no money."""
        priced = rules.price(minutes=20, terms=TERMS)

        lines = rules.explain(recorded_minutes=20, matchable_minutes=20, priced=priced, terms=TERMS)

        assert [(line.code, line.minutes) for line in lines][2:] == [
            ("below_minimum", -20),
            ("credited", 0),
            ("accrued", 0),
        ]

    def test_a_voided_attendance_has_no_policy_line(self) -> None:
        """What does not count is priced by nothing."""
        lines = rules.explain(recorded_minutes=0, matchable_minutes=0, priced=rules.NOTHING, terms=None)

        assert [line.code for line in lines] == ["recorded", "matchable", "credited"]


class TestChoose:
    def test_a_period_is_half_open(self) -> None:
        """At the instant of a change the new version counts, and only it."""
        first, second = make_terms(until_at=NINE), make_terms(policy_version_id=uuid4(), from_at=NINE, until_at=NOW)
        tick = timedelta(microseconds=1)

        chosen = [rules.choose([first, second], programme_id=PROGRAMME, at=at) for at in (JANUARY, NINE - tick, NINE)]

        assert chosen == [first, first, second]

    @pytest.mark.parametrize("at", [JANUARY - timedelta(microseconds=1), NINE])
    def test_refuses_an_instant_without_a_version(self, at: object) -> None:
        """Money never follows a rule that nobody approved."""
        with pytest.raises(rules.NoPolicy):
            rules.choose([make_terms(until_at=NINE)], programme_id=PROGRAMME, at=at)  # type: ignore[arg-type]  # Parametrized.

    def test_keeps_programmes_apart(self) -> None:
        """Another programme's rate is nobody else's."""
        with pytest.raises(rules.NoPolicy):
            rules.choose([TERMS], programme_id=uuid4(), at=NINE)


class TestRequire:
    def test_a_period_has_an_instant_in_it(self) -> None:
        """An end at the beginning is no period; no end is one."""
        rules.require_period(from_at=JANUARY, until_at=None)
        rules.require_period(from_at=JANUARY, until_at=NINE)
        with pytest.raises(rules.PolicyPeriodEmpty):
            rules.require_period(from_at=JANUARY, until_at=JANUARY)

    def test_bounds_may_meet_but_not_cross(self) -> None:
        """A minimum above the maximum would credit nothing, ever."""
        rules.require_bounds(min_minutes=60, max_minutes=60)
        with pytest.raises(rules.PolicyBoundsCrossed):
            rules.require_bounds(min_minutes=61, max_minutes=60)

    def test_approval_needs_a_second_person_once(self) -> None:
        """Who proposes never approves."""
        maker = uuid4()
        rules.require_approvable(maker_id=maker, approver_id=uuid4(), approved_at=None)
        with pytest.raises(rules.OwnPolicyApproved):
            rules.require_approvable(maker_id=maker, approver_id=maker, approved_at=None)
        with pytest.raises(rules.AlreadyApproved):
            rules.require_approvable(maker_id=maker, approver_id=uuid4(), approved_at=NOW)
