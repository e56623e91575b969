from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from services.activities.listings.tables import Shift
from services.activities.main import SERVICE
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import at, make_shift, make_sign_up
from tests.nights import EVENING, one_night

LONG_AGO = datetime(2022, 1, 1, tzinfo=UTC)  # When other tests' shifts were closed, lest they fill a run.


@pytest.fixture
def place(door: Door) -> SignUp:
    door.watch.now = at(14)

    def make(tx: Any) -> SignUp:
        return make_sign_up(tx, make_shift(tx, programme_id=door.programme_id, concluded_at=at(13)), state="missed")

    return door.put_in(make)


def host_of(door: Door, place: SignUp) -> Door:
    return door.by(Role.PARTNER, partner_id=door.put_in(lambda tx: tx.get_one(Shift, place.shift_id)).partner_id)


def test_partners_and_reviewers_say_it(door: Door, place: SignUp) -> None:
    """With a reason; again it is said of nobody."""
    host, path = host_of(door, place), f"/shifts/{place.shift_id}/no-shows"
    body = {"volunteer_ids": [str(place.volunteer_id)], "reason": "没有来"}

    assert host.post(path, **body).json() == {"volunteer_ids": [str(place.volunteer_id)]}
    assert door.by(Role.REVIEWER).post(path, **body).json() == {"volunteer_ids": []}

    assert refusal(host.post(path, **body | {"reason": " "})) == (422, "invalid_input")
    assert refusal(host.post(path, **body | {"volunteer_ids": []})) == (422, "invalid_input")
    assert refusal(door.post(path, **body)) == (403, "missing_permission")
    assert refusal(door.by(Role.PARTNER, partner_id=uuid4()).post(path, **body)) == (404, "not_found")


def test_the_timer_closes_what_is_over(database: Database, programme: UUID) -> None:
    """Every minute, in a worker; after an outage all the same. It tells how many it closed."""
    ends_at = EVENING - timedelta(days=3)
    with database.transaction() as tx:
        tx.execute(update(Shift).where(Shift.concluded_at.is_(None)).values(concluded_at=LONG_AGO))
        for _ in range(2):
            shift = make_shift(tx, programme_id=programme, starts_at=ends_at - timedelta(hours=2), ends_at=ends_at)
            make_sign_up(tx, shift)

    logs = one_night(database, SERVICE)

    with database.transaction() as tx:
        rows = select(SignUp.state).where(SignUp.programme_id == programme)
        assert tx.scalars(rows).all() == ["missed", "missed"]
    assert sum(line["shifts"] for line in logs if line["event"] == "shifts.closed") >= 2  # A place may open another's.
