from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.reliability import rules
from services.activities.reliability.rules import (
    FULL,
    HALF_LIFE_DAYS,
    OLDEST_DAYS,
    AppealDecided,
    AppealMade,
    Fact,
    Happened,
    NotAppealable,
)
from tests.factories.activities import NINE

DAY = timedelta(days=1)


def happened(fact: Fact, *, days_ago: int = 0, is_excused: bool = False) -> Happened:
    return Happened(uuid4(), fact, NINE - days_ago * DAY, is_excused)


def score(*facts: Happened) -> int:
    return rules.score(rules.explain(facts, now=NINE))


@pytest.mark.parametrize(
    ("age", "weight"),
    [(-1, FULL), (0, FULL), (1, 996), (HALF_LIFE_DAYS, 500), (2 * HALF_LIFE_DAYS, 250), (5 * HALF_LIFE_DAYS, 31)],
)
def test_half_of_a_fact_is_forgotten_in_half_a_year(age: int, weight: int) -> None:
    """Whatever it was."""
    assert rules.weight(age) == weight


class TestScore:
    @pytest.mark.parametrize(
        ("facts", "percent"),
        [
            ([], 100), ([Fact.ATTENDED], 100), ([Fact.NO_SHOW], 66), ([Fact.LATE_WITHDRAWN], 83), ([Fact.MISSED], 100),
            ([Fact.NO_SHOW, Fact.ATTENDED], 75), ([Fact.NO_SHOW] * 4, 33), ([Fact.ATTENDED] * 8 + [Fact.NO_SHOW], 90),
        ],
    )  # fmt: skip
    def test_it_is_what_was_kept_of_what_counts(self, facts: list[Fact], percent: int) -> None:
        """Everybody begins with a good name; a missed check-in is by itself no reproach."""
        assert score(*(happened(fact) for fact in facts)) == percent

    def test_an_old_no_show_counts_less(self) -> None:
        """Until it counts nothing, and is not shown."""
        assert score(happened(Fact.NO_SHOW, days_ago=HALF_LIFE_DAYS)) == 80
        assert len(rules.explain([happened(Fact.NO_SHOW, days_ago=OLDEST_DAYS)], now=NINE)) == 1
        assert rules.explain([happened(Fact.NO_SHOW, days_ago=OLDEST_DAYS + 1)], now=NINE) == []

    @pytest.mark.parametrize("fact", Fact)
    def test_what_is_excused_counts_neither_way(self, fact: Fact) -> None:
        """As if there had been no place."""
        assert score(happened(fact, is_excused=True), happened(Fact.NO_SHOW)) == score(happened(Fact.NO_SHOW))

    @given(st.lists(st.tuples(st.sampled_from(Fact), st.integers(0, 2 * OLDEST_DAYS), st.booleans())))
    def test_the_lines_add_up_to_it(self, drawn: list[tuple[Fact, int, bool]]) -> None:
        """Anybody can work it out by hand; it is never beyond 0 and 100, and a place that was kept lowers it never."""
        facts = [happened(fact, days_ago=age, is_excused=excused) for fact, age, excused in drawn]
        lines = rules.explain(facts, now=NINE)

        kept, of = sum(line.kept for line in lines), sum(line.of for line in lines)
        assert rules.score(lines) == (rules.START + kept) * 100 // (rules.START + of)
        assert 0 <= rules.score(lines) <= 100
        assert score(*facts, happened(Fact.ATTENDED)) >= rules.score(lines)


def test_every_fact_is_explained() -> None:
    """In both languages."""
    assert rules.TITLES.keys() == rules.KEEPS.keys() == set(Fact)


def test_an_appeal_is_against_what_counts_once() -> None:
    """And decided once."""
    for fact in ("no_show", "late_withdrawn"):
        rules.require_appealable(fact)
    for fact in ("attended", "missed", "confirmed", "withdrawn"):
        with pytest.raises(NotAppealable):
            rules.require_appealable(fact)
    rules.require_first(is_appealed=False)
    with pytest.raises(AppealMade):
        rules.require_first(is_appealed=True)
    rules.require_undecided(None)
    for decided in (True, False):
        with pytest.raises(AppealDecided):
            rules.require_undecided(decided)
