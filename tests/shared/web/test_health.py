"""Readiness: a blip of the broker turns nobody away, a broker that stays away does."""

import pytest

from shared.bus.transport import TopologyMissing, TransportDown
from shared.web.health import patient


class Broker:
    """Answers, or not, as a test says."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def check(self) -> None:
        if self.error is not None:
            raise self.error


def test_a_broker_that_was_there_a_moment_ago_is_passed_over() -> None:
    """F8: requests do without it, for what they tell waits in the outbox."""
    broker = Broker()
    check = patient(broker.check, seconds=60)
    check()
    broker.error = TransportDown("gone")

    check()


def test_a_broker_that_stays_away_is_reported() -> None:
    """Somebody has to look."""
    broker = Broker()
    check = patient(broker.check, seconds=-1)
    check()
    broker.error = TransportDown("gone")

    with pytest.raises(TransportDown):
        check()


def test_a_broker_that_never_answered_is_reported_at_once() -> None:
    """A deploy with a wrong address must not look ready."""
    with pytest.raises(TransportDown):
        patient(Broker(TransportDown("never there")).check)()


def test_a_missing_queue_is_reported_at_once() -> None:
    """It does not come back by itself."""
    broker = Broker()
    check = patient(broker.check)
    check()
    broker.error = TopologyMissing("no queue")

    with pytest.raises(TopologyMissing):
        check()
