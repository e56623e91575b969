from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.activities.main import SERVICE
from services.activities.sign_ups.tables import SignUp
from shared.database.server import Server
from shared.database.sessions import Database
from tests.factories.activities import make_shift, make_sign_up
from tests.nights import EVENING, one_night

MORNING = EVENING + timedelta(hours=12)
DAY = timedelta(days=1)


@pytest.fixture
def apart(server: Server) -> Iterator[Database]:
    """Open a database in which no timer has run."""
    apart = Server(server.url, prefix=f"{server.prefix}night_")
    apart.prepare("activities")
    database = apart.open("activities", pool_size=3)
    yield database
    database.close()
    apart.drop("activities")


def test_offers_end_by_the_clock_however_late_the_timer_is(apart: Database) -> None:
    """Once, and who is next has a window that begins now, not when the timer was due."""
    starts_at = EVENING + timedelta(days=9)
    with apart.transaction() as tx:
        times: dict[str, Any] = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=3)}
        shift = make_shift(tx, capacity=1, **times)
        over = make_sign_up(tx, shift, state="offered", offer_expires_at=EVENING + timedelta(minutes=1))
        following, last = (make_sign_up(tx, shift, state="waitlisted") for _ in range(2))

    one_night(apart, SERVICE, evening=EVENING)

    with apart.transaction() as tx:
        states = [tx.get_one(SignUp, place.id).state for place in (over, following, last)]
        until = tx.get_one(SignUp, following.id).offer_expires_at
    assert states == ["offer_expired", "offered", "waitlisted"]
    assert until is not None
    assert MORNING <= until - DAY < MORNING + timedelta(minutes=5)
    one_night(apart, SERVICE, evening=EVENING + DAY + timedelta(hours=1))
    with apart.transaction() as tx:
        states = [tx.get_one(SignUp, place.id).state for place in (over, following, last)]
    assert states == ["offer_expired", "offer_expired", "offered"]
