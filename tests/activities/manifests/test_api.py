"""Day manifests over HTTP."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from services.activities.manifests import actions
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import FIRST_OF_JUNE, make_listing, make_settled, make_shift

NIGHT = datetime.fromisoformat("2022-06-02T02:07+08:00")


@pytest.fixture
def counted(door: Door) -> Door:
    """Have the first of June counted twice, for somebody was settled in between, and call as finance."""

    def make(tx: Session) -> None:
        for number in range(2):
            make_settled(tx, make_shift(tx, listing=make_listing(tx, programme_id=door.programme_id)))
            actions.count_nightly(tx, now=NIGHT + number * timedelta(days=1))

    door.put_in(make)
    return door.by(Role.FINANCE)


def test_a_day_is_shown_with_what_it_was_before(counted: Door) -> None:
    """Under the tag of its version, so that who has it is told so."""
    answer = counted.get(f"/manifests/{FIRST_OF_JUNE}")

    day = answer.json()
    assert (day["version"], day["attendances"], day["service_minutes"]) == (2, 2, 360)
    assert [(each["version"], each["attendances"]) for each in day["earlier"]] == [(1, 1)]
    assert answer.headers["etag"] == '"2"'


def test_days_are_listed_by_date(counted: Door) -> None:
    """All versions; of a time if one asks for it, and of the caller's programme."""
    items = counted.get("/manifests", service_from="2022-06-01", service_until="2022-06-02").json()["items"]

    assert [(each["service_on"], each["version"]) for each in items] == [("2022-06-01", 2), ("2022-06-01", 1)]
    assert counted.get("/manifests", service_until="2022-06-01").json()["items"] == []
    assert counted.elsewhere().get("/manifests").json()["items"] == []


def test_a_day_of_which_nothing_is_counted_is_not_found(counted: Door) -> None:
    """As that of another programme; and what is no date is said to be none."""
    assert refusal(counted.get("/manifests/2022-06-02")) == (404, "not_found")
    assert refusal(counted.elsewhere().get("/manifests/2022-06-01")) == (404, "not_found")
    assert refusal(counted.get("/manifests/june")) == (422, "invalid_input")
