from datetime import date, timedelta
from itertools import permutations

import pytest

from services.activities.partners import rules
from services.activities.partners.rules import Footing
from shared.errors import Refusal
from tests.factories.partners import make_paused

JUNE, JULY = date(2022, 6, 1), date(2022, 7, 1)
DAY = timedelta(days=1)


def judged(footing: Footing, on: date) -> str:
    """Say what comes of a proposal on a day."""
    try:
        rules.require_may_propose(footing, on=on)
    except Refusal as refusal:
        return refusal.code
    return "may"


class TestMayPropose:
    @pytest.mark.parametrize(
        ("on", "outcome"),
        [
            (JUNE - DAY, "no_agreement_in_force"),
            (JUNE, "may"),
            (JULY - DAY, "may"),
            (JULY, "no_agreement_in_force"),
        ],
    )
    def test_within_the_agreement(self, on: date, outcome: str) -> None:
        """From its first day to the last before its end."""
        assert judged(Footing(JUNE, JULY), on) == outcome

    def test_an_agreement_without_an_end_has_none(self) -> None:
        """As those that an operator notes."""
        assert judged(Footing(JUNE), date(2199, 1, 1)) == "may"

    @pytest.mark.parametrize(
        ("until", "on", "outcome"),
        [
            (JULY, JUNE - DAY, "may"),
            (JULY, JUNE, "partner_paused"),
            (JULY, JULY - DAY, "partner_paused"),
            (JULY, JULY, "may"),
            (None, JULY, "partner_paused"),
        ],
    )
    def test_not_while_it_rests(self, until: date | None, on: date, outcome: str) -> None:
        """Half-open; a pause may have no end yet."""
        assert judged(Footing(date(2022, 1, 1), None, JUNE, until), on) == outcome

    @pytest.mark.parametrize(
        ("standing", "outcome"),
        [
            ("good", "may"),
            ("notice", "may"),
            ("warning", "may"),
            ("suspended", "partner_barred"),
            ("exited", "partner_barred"),
        ],
    )
    def test_standing_bars_from_suspension_on(self, standing: str, outcome: str) -> None:
        """What comes before it limits how many, not whether."""
        assert judged(Footing(JUNE, standing=standing), JUNE) == outcome

    def test_the_cause_is_told(self) -> None:
        """The partner can look up what it means."""
        with pytest.raises(rules.PartnerBarred) as refused:
            rules.require_may_propose(Footing(JUNE, standing="suspended", cause="shifts_not_held"), on=JUNE)
        assert refused.value.facts == {"standing": "suspended", "cause": "shifts_not_held"}


class TestQuota:
    @pytest.mark.parametrize(("quota", "made"), [(2, 0), (2, 1), (None, 10_000)])
    def test_one_more_within_it(self, quota: int | None, made: int) -> None:
        """Whoever stands well has none, and no limit."""
        rules.require_quota(Footing(JUNE, weekly_quota=quota), made=made)

    @pytest.mark.parametrize(("quota", "made"), [(2, 2), (2, 3), (0, 0)])
    def test_no_more_than_the_standing_allows(self, quota: int, made: int) -> None:
        """One that is 0 allows none."""
        with pytest.raises(rules.QuotaUsedUp) as refused:
            rules.require_quota(Footing(JUNE, weekly_quota=quota), made=made)
        assert refused.value.facts == {"quota": quota, "made": made}


class TestInterval:
    @pytest.mark.parametrize(("from_on", "until_on"), [(JUNE, JUNE + DAY), (JUNE, None), (None, None)])
    def test_ends_after_it_begins(self, from_on: date | None, until_on: date | None) -> None:
        """Or is open, or is none at all."""
        rules.require_interval(from_on, until_on)

    @pytest.mark.parametrize(("from_on", "until_on"), [(JUNE, JUNE), (JULY, JUNE), (None, JULY)])
    def test_what_ends_before_is_none(self, from_on: date | None, until_on: date | None) -> None:
        """Nor what has an end alone."""
        with pytest.raises(rules.ImpossibleDates):
            rules.require_interval(from_on, until_on)


def test_the_newest_of_each_partner_holds_in_any_order() -> None:
    """And of each programme apart; of one version told twice, the first."""
    first = make_paused()
    second = first.model_copy(update={"version": 2, "paused_until": None})
    other = make_paused()
    elsewhere = first.model_copy(update={"programme_id": other.partner_id})

    for told in permutations([first, second, other, elsewhere]):
        assert rules.newest(told) == sorted(
            [second, other, elsewhere], key=lambda fact: (fact.partner_id, fact.programme_id)
        )
    again = second.model_copy(update={"paused_from": None})
    assert rules.newest([second, again]) == [second]


def test_of_one_that_was_told_nothing_is_noted() -> None:
    """By hand; one that an operator noted may be noted anew."""
    rules.require_not_told(0)
    with pytest.raises(rules.KeptByPartners):
        rules.require_not_told(1)
