from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import Title
from shared.privacy import retention
from shared.privacy.kept import TABLE
from shared.privacy.terms import Kept
from shared.settings import BadSetting
from shared.web.kept_answers import KEPT_FOR

NOW = datetime(2026, 1, 31, tzinfo=UTC)
WITH_TERM = [kept for kept in TABLE if kept.term is not None]


@pytest.mark.parametrize("kept", WITH_TERM, ids=lambda kept: kept.name)
def test_a_term_lies_within_its_bounds_and_may_be_set_to_either(kept: Kept) -> None:
    """Both sides of each bound."""
    term = kept.term
    assert term is not None
    assert retention.days(kept.name, None) == term.days
    for wanted in (term.least, term.most):
        assert retention.days(kept.name, {kept.name: wanted}) == wanted
    for wanted in (term.least - 1, term.most + 1):
        with pytest.raises(BadSetting, match=kept.name):
            retention.require_valid({kept.name: wanted})


@pytest.mark.parametrize("name", [*(kept.name for kept in TABLE if kept.term is None), "no_such_thing"])
def test_what_is_kept_for_good_has_no_term_to_set(name: str) -> None:
    """Nobody deletes the books by a setting, nor believes to have set what does not exist."""
    with pytest.raises(BadSetting, match=name):
        retention.require_valid({name: 30})
    with pytest.raises(KeyError):
        retention.days(name, None)


def test_names_are_unique_and_everything_says_what_and_why() -> None:
    """In both languages."""
    assert len({kept.name for kept in TABLE}) == len(TABLE)
    assert all(text for kept in TABLE for text in (*kept.what, *kept.why))


def test_what_is_fixed_in_code_is_told_as_it_is() -> None:
    """Nobody sets it, and the document says how long it is."""
    hours = KEPT_FOR // timedelta(hours=1)
    fixed = {kept.name: kept for kept in TABLE if kept.fixed is not None}
    assert set(fixed) == {"kept_answers", "kit_addresses", "scan_devices"}
    assert {kept.term for kept in fixed.values()} == {None}
    answers = fixed["kept_answers"]
    assert answers.fixed == Title(zh=f"{hours} 小时", en=f"{hours} hours")
    assert all(str(hours) in text for text in answers.what)


def test_without_a_setting_the_defaults_hold() -> None:
    """A day more than a month before January's end is the year before."""
    retention.require_valid(None)
    assert retention.before("task_runs", NOW) == datetime(2026, 1, 1, tzinfo=UTC)
