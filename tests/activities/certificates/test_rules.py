from datetime import date, timedelta

import pytest

from services.activities.certificates import rules
from services.activities.certificates.rules import Command, State

TODAY = date(2022, 6, 1)
DAY = timedelta(days=1)
AFTER = {
    (State.VALID, Command.SUPERSEDE): State.SUPERSEDED,
    (State.VALID, Command.REVOKE): State.REVOKED,
    (State.SUPERSEDED, Command.SUPERSEDE): State.SUPERSEDED,
    (State.SUPERSEDED, Command.REVOKE): State.REVOKED,
    (State.REVOKED, Command.SUPERSEDE): None,
    (State.REVOKED, Command.REVOKE): None,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("command", Command)
def test_every_state_has_an_answer_to_every_command(state: State, command: Command) -> None:
    """What was revoked stays so."""
    expected = AFTER[state, command]
    if expected is None:
        with pytest.raises(rules.CertificateRevoked):
            rules.state_after(state, command)
    else:
        assert rules.state_after(state, command) is expected


@pytest.mark.parametrize(
    ("state", "minutes", "now"),
    [
        (State.VALID, 180, State.VALID),
        (State.VALID, 179, State.SUPERSEDED),
        (State.VALID, 181, State.SUPERSEDED),
        (State.REVOKED, 181, State.REVOKED),
        (State.SUPERSEDED, 180, State.SUPERSEDED),
    ],
)
def test_it_holds_while_its_minutes_do(state: State, minutes: int, now: State) -> None:
    """Fewer and more are both something else than was said."""
    assert rules.state_now(state, certified=180, minutes=minutes) is now


@pytest.mark.parametrize(
    ("since", "until"),
    [(TODAY, TODAY + DAY), (TODAY - DAY, TODAY), (TODAY + DAY - rules.LONGEST_PERIOD, TODAY + DAY)],
)
def test_a_period_may_end_today_and_be_of_ten_years(since: date, until: date) -> None:
    """The day after it is excluded."""
    rules.require_period(since, until, today=TODAY)


@pytest.mark.parametrize(
    ("since", "until"),
    [(TODAY, TODAY), (TODAY, TODAY - DAY), (TODAY, TODAY + 2 * DAY), (TODAY - rules.LONGEST_PERIOD, TODAY + DAY)],
)
def test_a_period_is_a_period_and_over(since: date, until: date) -> None:
    """Neither empty, nor backwards, nor of days that are not over."""
    with pytest.raises(rules.BadPeriod):
        rules.require_period(since, until, today=TODAY)


def test_something_is_certified_and_not_too_much() -> None:
    """A thousand services, and a minute."""
    rules.require_services(1_000, minutes=1)
    with pytest.raises(rules.NothingToCertify):
        rules.require_services(1, minutes=0)
    with pytest.raises(rules.TooManyServices):
        rules.require_services(1_001, minutes=1)


def test_numbers_are_counted_by_year() -> None:
    """They sort as they were issued."""
    assert rules.number_of("PC", 2022, 1) == "PC-2022-000001"
    assert rules.number_of("PC", 2022, 1_000_000) == "PC-2022-1000000"
