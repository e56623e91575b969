"""An hour proven by a check-in becomes a donation: over HTTP, the same journey on two ways to run Popcandy."""

import pytest

from tests.journeys.people import Town
from tests.journeys.walk import THE_STATEMENT, End, correct, scan_out, walk


@pytest.mark.parametrize("end_service", [scan_out, correct])
def test_in_one_process(embedded: Town, end_service: End) -> None:
    """Two hours on a partner's shift are CNY 200, whether the volunteer scans out or an operator corrects."""
    assert walk(embedded, end_service) == THE_STATEMENT


def test_as_processes_over_rabbitmq_and_a_postgresql_server(apart: Town) -> None:
    """The same journey and the same figures with web, relay, consumer and console apart."""
    assert walk(apart, correct) == THE_STATEMENT
