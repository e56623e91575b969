import pytest

from services.activities.skills import rules
from services.activities.skills.rules import CatalogueFull, UnknownSkill

OFFERED = {"reading": True, "juggling": False}


class TestRequireOffered:
    @pytest.mark.parametrize("codes", [[], ["reading"], ["reading", "reading"]])
    def test_what_is_offered_may_be_chosen(self, codes: list[str]) -> None:
        """Nothing at all as well."""
        rules.require_offered(codes, offered=OFFERED)

    def test_what_is_retired_is_kept_by_who_had_it(self) -> None:
        """And chosen by nobody else."""
        rules.require_offered(["juggling"], offered=OFFERED, had=["juggling"])
        with pytest.raises(UnknownSkill):
            rules.require_offered(["juggling"], offered=OFFERED)

    def test_what_is_unknown_is_named_by_its_place(self) -> None:
        """Whoever had it: it may be anything, so it is not repeated."""
        with pytest.raises(UnknownSkill) as refused:
            rules.require_offered(["reading", "x", "y"], offered=OFFERED, had=["x"])
        assert refused.value.facts == {"field": "skills", "places": [1, 2]}


def test_a_catalogue_has_its_limit() -> None:
    """The last skill fits, one more does not."""
    rules.require_room(count=rules.MOST_SKILLS - 1)
    with pytest.raises(CatalogueFull):
        rules.require_room(count=rules.MOST_SKILLS)


def test_what_a_partner_writes_is_known_by_its_code() -> None:
    """By whatever name, without case, width and outer space; what nobody knows stays as it is, blanks are nothing."""
    codes = {"reading": "reading", "朗读": "reading", "first aid": "first-aid"}

    words = ["朗读 ", "READING", "\uff26irst Aid", "木工", "木工", " "]

    assert rules.as_codes(words, codes) == ("first-aid", "reading", "木工")
