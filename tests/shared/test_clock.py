"""The clock, and the travels of the demo."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared import clock


@pytest.fixture(autouse=True)
def at_home() -> Iterator[None]:
    """Leave the clock as it was."""
    yield
    clock.come_back()


def test_now_is_an_instant_in_utc() -> None:
    """An instant without a zone would be another instant on another machine."""
    assert clock.now().tzinfo is UTC


def test_time_goes_on_from_where_one_travelled_to() -> None:
    """The demo plays a day of 2022 as it was."""
    then = datetime(2022, 11, 11, 9, tzinfo=UTC)
    clock.travel(then)

    assert then <= clock.now() < then + timedelta(minutes=1)
    assert clock.now() <= clock.now()


def test_one_comes_back() -> None:
    """After the demo's day it is today again."""
    today = clock.now()
    clock.travel(datetime(2022, 11, 11, 9, tzinfo=UTC))
    clock.come_back()

    assert today <= clock.now() < today + timedelta(minutes=1)


def test_nobody_travels_to_a_time_without_a_zone() -> None:
    """Nine o'clock is not an instant."""
    with pytest.raises(TypeError):
        clock.travel(datetime(2022, 11, 11, 9))  # noqa: DTZ001  That is what is refused.
