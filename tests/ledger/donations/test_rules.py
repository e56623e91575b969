from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.donations import rules
from services.ledger.donations.rules import Service, Standing, State
from services.ledger.policies.rules import NoPolicy, price
from tests.factories.ledger import FIRST_OF_JUNE, JANUARY, OTHER_PARTNER, PARTNER, make_service, make_terms

TERMS = make_terms()
ENTRY = uuid4()


def standing(service: Service, fen: int = 20_000) -> Standing:
    return Standing(uuid4(), service, fen, ENTRY if fen else None)


class TestDecide:
    def test_a_first_fact_is_owed_in_full(self) -> None:
        """Two hours at CNY 100 are CNY 200."""
        correction = rules.decide(None, make_service(minutes=120), [TERMS])

        assert correction is not None
        assert (correction.priced.fen, correction.accrues, correction.reverses) == (20_000, True, False)
        assert correction.policy_version_id == TERMS.policy_version_id

    @pytest.mark.parametrize("minutes", [0, 29])
    def test_nothing_owed_is_nothing_posted(self, minutes: int) -> None:
        """Too short a service is a donation of nothing, kept with its reason."""
        correction = rules.decide(None, make_service(minutes=minutes), [TERMS])

        assert correction is not None
        assert (correction.priced.fen, correction.accrues, correction.reverses) == (0, False, False)

    def test_another_amount_reverses_and_posts_the_whole(self) -> None:
        """Target minus posted, as two entries that each say everything."""
        known = standing(make_service(minutes=120))

        correction = rules.decide(known, make_service(version=2, minutes=180), [TERMS])

        assert correction is not None
        assert (correction.priced.fen, correction.accrues, correction.reverses) == (30_000, True, True)

    def test_the_same_amount_posts_nothing(self) -> None:
        """Ten minutes more within the same step change the record, not the money."""
        known = standing(make_service(minutes=120))

        correction = rules.decide(known, make_service(version=2, minutes=130), [TERMS])

        assert correction is not None
        assert (correction.replaces, correction.accrues, correction.reverses) == (known, False, False)

    @pytest.mark.parametrize("change", [{"partner_id": OTHER_PARTNER}, {"service_on": date(2022, 6, 2)}])
    def test_the_same_amount_for_another_partner_or_day_is_posted_anew(self, change: dict[str, object]) -> None:
        """An entry names whom it is for and when."""
        correction = rules.decide(standing(make_service()), make_service(version=2, **change), [TERMS])

        assert correction is not None
        assert (correction.accrues, correction.reverses) == (True, True)

    @pytest.mark.parametrize(("fen", "reverses"), [(20_000, True), (0, False)])
    def test_a_void_takes_back_what_was_posted(self, fen: int, reverses: bool) -> None:  # noqa: FBT001  A column of a table.
        """No policy is asked for what does not count."""
        known = standing(make_service(), fen=fen)

        correction = rules.decide(known, make_service(version=2, state=State.VOIDED, minutes=0), [])

        assert correction is not None
        assert (correction.priced.fen, correction.accrues, correction.reverses) == (0, False, reverses)
        assert correction.policy_version_id is None

    def test_a_void_before_its_fact_is_remembered(self) -> None:
        """The older fact that arrives later must find that it is over."""
        correction = rules.decide(None, make_service(version=2, state=State.VOIDED, minutes=0), [])

        assert correction is not None
        assert (correction.accrues, correction.reverses) == (False, False)

    @pytest.mark.parametrize("version", [1, 2])
    def test_stale_and_repeated_facts_change_nothing(self, version: int) -> None:
        """Whatever the broker does with the order."""
        known = standing(make_service(version=2))

        assert rules.decide(known, make_service(version=version), [TERMS]) is None

    def test_the_same_version_told_otherwise_is_refused(self) -> None:
        """A key stands for one content."""
        with pytest.raises(rules.VersionRetold):
            rules.decide(standing(make_service(version=2)), make_service(version=2, minutes=180), [TERMS])

    def test_money_does_not_move_between_programmes(self) -> None:
        """Tenants are apart in corrections as well."""
        with pytest.raises(rules.OtherProgramme):
            rules.decide(standing(make_service()), make_service(version=2, programme_id=uuid4()), [TERMS])

    def test_no_more_is_matched_than_was_served(self) -> None:
        """A fact that says so is wrong."""
        rules.decide(None, make_service(recorded_minutes=60, matchable_minutes=60), [TERMS])
        with pytest.raises(rules.MoreMatchableThanRecorded):
            rules.decide(None, make_service(recorded_minutes=60, matchable_minutes=61), [TERMS])

    def test_without_a_policy_nothing_is_owed(self) -> None:
        """The fact waits as a dead letter, not as a guess."""
        with pytest.raises(NoPolicy):
            rules.decide(None, make_service(started_at=JANUARY), [make_terms(until_at=JANUARY)])


class TestNewest:
    def test_keeps_the_highest_version_of_each(self) -> None:
        """Versions that came together with a newer one never take effect."""
        first, second = make_service(), make_service(version=2, minutes=60)
        other = make_service(attendance_id=UUID(int=1))

        assert rules.newest([second, first, other, second]) == [other, second]

    def test_a_version_told_in_two_ways_is_refused(self) -> None:
        """Neither may win by chance."""
        with pytest.raises(rules.VersionRetold):
            rules.newest([make_service(), make_service(minutes=60)])


@st.composite
def chains(draw: st.DrawFn) -> list[Service]:
    """Make the versions of one attendance, in order."""
    facts = []
    for version in range(1, draw(st.integers(1, 6)) + 1):
        state = draw(st.sampled_from(list(State)))
        minutes = 0 if state is State.VOIDED else draw(st.integers(0, 600))
        partner = draw(st.sampled_from([PARTNER, OTHER_PARTNER]))
        day = draw(st.sampled_from([FIRST_OF_JUNE, date(2022, 6, 2)]))
        facts.append(make_service(version=version, state=state, minutes=minutes, partner_id=partner, service_on=day))
    return facts


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Service], list[list[Service]]]:
    """Make a chain, and batches in which its facts arrive: each at least once, in any order."""
    chain = draw(chains())
    again = draw(st.lists(st.sampled_from(chain), max_size=6))
    order = draw(st.permutations(chain + again))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)) | {0, len(order)})
    return chain, [list(order[start:end]) for start, end in pairwise(cuts)]


Posted = Counter[tuple[UUID, date]]


def play(batches: Iterable[list[Service]]) -> tuple[Standing | None, Posted]:
    """Do with facts what the action does, and keep what it would post."""
    known: Standing | None = None
    posted: Posted = Counter()
    for batch in batches:
        for fact in rules.newest(batch):
            correction = rules.decide(known, fact, [TERMS])
            if correction is None:
                continue
            if known is not None and correction.reverses:
                posted[known.service.partner_id, known.service.service_on] -= known.fen
            if correction.accrues:
                posted[fact.partner_id, fact.service_on] += correction.priced.fen
            donation_id = known.donation_id if known else uuid4()
            known = Standing(donation_id, fact, correction.priced.fen, ENTRY if correction.priced.fen else None)
    return known, posted


@given(arrivals())
def test_order_and_repetition_change_nothing(told: tuple[list[Service], list[list[Service]]]) -> None:
    """However facts arrive, the books end at what the newest version is worth, for whom and on which day it says."""
    chain, batches = told
    last = chain[-1]

    known, posted = play(batches)

    target = price(minutes=last.matchable_minutes, terms=TERMS).fen
    assert known is not None
    assert (known.service, known.fen) == (last, target)
    assert +posted == ({(last.partner_id, last.service_on): target} if target else {})
    assert not -posted


@given(chains())
def test_a_correction_back_and_forth_ends_where_it_began(chain: list[Service]) -> None:
    """Undoing a correction by another leaves the first amount."""
    back = replace(chain[0], version=len(chain) + 1)

    assert play([[fact] for fact in [*chain, back]])[1] == play([[chain[0]]])[1]


class TestSpanOf:
    @pytest.mark.parametrize(
        ("wanted", "span"),
        [
            ({}, rules.Span.EVER),
            ({"partner_id": PARTNER, "listing_id": None, "service_from": None}, rules.Span.EVER),
            ({"service_from": date(2022, 6, 1)}, rules.Span.MONTHS),
            ({"partner_id": PARTNER, "service_until": date(2022, 7, 1)}, rules.Span.MONTHS),
            ({"service_from": date(2022, 6, 1), "service_until": date(2022, 6, 30)}, rules.Span.DAYS),
            ({"service_from": date(2022, 6, 2), "service_until": date(2022, 7, 1)}, rules.Span.DAYS),
            ({"listing_id": PARTNER}, rules.Span.DAYS),
            ({"service_from": date(2022, 6, 1), "shift_id": PARTNER}, rules.Span.DAYS),
        ],
    )
    def test_only_whole_months_of_whole_partners_have_totals(self, wanted: dict[str, object], span: rules.Span) -> None:
        """Everything else is added up from donations; a filter that nobody has thought of, too."""
        assert rules.span_of(wanted) is span
