"""How often a caller may call."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web import rates
from shared.web.rates import Allowance, RateLimiter, TooManyRequests


class Watch:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_minutes_worth_is_there_at_once(watch: Watch) -> None:
    """A page that asks many things at once is not slowed down."""
    limiter = RateLimiter(60, clock=watch)

    allowances = [limiter.take("a") for _ in range(60)]

    assert [each.remaining for each in allowances] == list(range(59, -1, -1))
    assert allowances[-1] == Allowance(limit=60, remaining=0, reset_seconds=60)


def test_one_more_is_refused_and_told_when(watch: Watch) -> None:
    """The time is true: exactly then the next one passes, and no sooner."""
    limiter = RateLimiter(20, clock=watch)
    for _ in range(20):
        limiter.take("a")

    with pytest.raises(TooManyRequests) as refusal:
        limiter.take("a")

    assert refusal.value.facts == {"limit": 20, "retry_after": 3}
    watch.seconds += 1.0
    with pytest.raises(TooManyRequests):
        limiter.take("a")
    watch.seconds += 2.0
    assert limiter.take("a").remaining == 0


def test_refused_requests_cost_nothing(watch: Watch) -> None:
    """Whoever hammers the door is let in when the others are."""
    limiter = RateLimiter(1, clock=watch)
    limiter.take("a")
    for _ in range(100):
        with pytest.raises(TooManyRequests):
            limiter.take("a")

    watch.seconds += 60

    assert limiter.take("a").remaining == 0


def test_callers_do_not_count_for_each_other(watch: Watch) -> None:
    """One partner's script is not another partner's trouble."""
    limiter = RateLimiter(1, clock=watch)
    limiter.take("a")

    assert limiter.take("b").remaining == 0


def test_memory_is_bounded(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was quiet the longest is forgotten first, and whoever just called is not."""
    monkeypatch.setattr(rates, "MOST_CALLERS", 2)
    limiter = RateLimiter(1, clock=watch)
    for caller in ("a", "b", "c"):
        limiter.take(caller)

    with pytest.raises(TooManyRequests):
        limiter.take("c")
    assert limiter.take("a").remaining == 0


@given(st.integers(1, 5_000), st.lists(st.floats(0, 90), max_size=80))
def test_never_more_than_two_windows_worth_in_a_window(limit: int, pauses: list[float]) -> None:
    """After a quiet minute the burst, and then the average."""
    watch = Watch()
    limiter, let_in = RateLimiter(limit, clock=watch), list[float]()
    for pause in pauses:
        watch.seconds += pause
        with contextlib.suppress(TooManyRequests):
            assert 0 <= limiter.take("a").remaining < limit
            let_in.append(watch.seconds)
    for at in let_in:
        assert sum(at <= each < at + 60 for each in let_in) <= 2 * limit
