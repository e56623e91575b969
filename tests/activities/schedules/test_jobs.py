from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.activities.listings.tables import Shift
from services.activities.main import SERVICE
from shared.database.server import Server
from shared.database.sessions import Database
from tests.activities.told import told
from tests.factories.activities import make_shift
from tests.nights import EVENING, one_night


@pytest.fixture
def apart(server: Server) -> Iterator[Database]:
    """Open a database in which no timer has run."""
    apart = Server(server.url, prefix=f"{server.prefix}night_")
    apart.prepare("activities")
    database = apart.open("activities", pool_size=3)
    yield database
    database.close()
    apart.drop("activities")


def test_in_the_night_it_is_told_once_what_lacks_people_and_a_decision(apart: Database) -> None:
    """However often the timer runs, and however late: what has begun by then is not told of any more."""

    def starting(hours: int) -> Shift:
        starts_at = EVENING + timedelta(hours=hours)
        times: dict[str, Any] = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2)}
        return make_shift(tx, minimum=2, **times)

    with apart.transaction() as tx:
        begun, soon, later, far = (starting(hours) for hours in (11, 40, 70, 100))

    one_night(apart, SERVICE, evening=EVENING)
    one_night(apart, SERVICE, evening=EVENING + timedelta(hours=1))

    with apart.transaction() as tx:
        facts = [(fact.type.split(".")[2], fact.shift_id) for fact in told(tx)]  # type: ignore[attr-defined]  # Of shifts.
        assert tx.get_one(Shift, begun.id).short_at is None
    assert sorted(facts) == sorted([("fell_short", soon.id), ("fell_short", later.id), ("decision_due", soon.id)])
    assert far.short_at is None
