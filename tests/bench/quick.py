"""What a developer runs before a change is done: a few ratios, small and soon over, each with a floor."""

from tests.bench import check_in, floors, ledger, relay
from tests.bench.places import Places
from tests.bench.reports import Report, Say

EVENTS = 12_000
REQUESTS = 800


def measure(places: Places, *, repeat: int, say: Say) -> Report:
    """Run a part of three benchmarks."""
    reports = [
        ledger.measure(places, repeat=repeat, say=say, events=EVENTS, peers=["dramatiq_statement"]),
        relay.measure(places, repeat=repeat, say=say, events=EVENTS, peers=[]),
        check_in.measure(places, repeat=repeat, say=say, requests=REQUESTS, peers=["fastapi_orm"]),
    ]
    return floors.above(reports)
