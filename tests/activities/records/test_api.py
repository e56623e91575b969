from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.volunteers.tables import Volunteer
from shared.roles import PEOPLE, Role
from tests.activities.door import Door, refusal
from tests.factories.activities import (
    NINE,
    NOON,
    make_attendance,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

MINE = "/volunteers/me/service-record"
DAY = timedelta(days=1)


@pytest.fixture
def person(door: Door) -> Volunteer:
    """Let somebody serve on two days, be there still on the third, and have the fourth taken back."""

    def fill(tx: Session) -> Volunteer:
        programme: dict[str, Any] = {"programme_id": door.programme_id}
        somebody = make_volunteer(tx, **programme)
        for days in range(4):
            starts_at, ends_at = NINE + days * DAY, NOON + days * DAY
            shift = make_shift(tx, **programme, starts_at=starts_at, ends_at=ends_at, service_on=starts_at.date())
            make_sign_up(tx, shift, volunteer=somebody)
            if days == 2:
                make_attendance(tx, shift, volunteer_id=somebody.id)
                continue
            record = make_settled(tx, shift, came=starts_at, left=ends_at, volunteer_id=somebody.id)
            record.state = "settled" if days < 2 else "voided"
        make_settled(tx, make_shift(tx, **programme))
        return somebody

    return door.put_in(fill)


@pytest.fixture
def own(door: Door, person: Volunteer) -> Door:
    return door.by(Role.VOLUNTEER, person_id=person.id)


def test_a_record_has_all_that_is_settled_and_nothing_else(own: Door, person: Volunteer) -> None:
    """Date, activity, partner, minutes and evidence, oldest first; nobody else's."""
    record = own.get(MINE).json()

    assert (record["volunteer_id"], record["services"], record["service_minutes"]) == (str(person.id), 2, 360)
    assert (record["badges"], record["lifetime_minutes"]) == ([], 360)
    assert (record["next_badge"]["code"], record["next_badge"]["missing_minutes"]) == ("hours_10", 240)
    first, second = record["items"]
    shown: dict[str, Any] = {"title": "净滩", "partner": "绿叶", "service_minutes": 180, "evidence": "scanned"}
    assert shown.items() <= first.items()
    assert (first["service_on"], second["service_on"]) == ("2022-06-01", "2022-06-02")


def test_a_period_has_its_own_total(own: Door) -> None:
    """Its last day is excluded; badges count all."""
    record = own.get(MINE, since="2022-06-02", until="2022-06-03").json()

    assert (record["services"], record["service_minutes"], record["lifetime_minutes"]) == (1, 180, 360)
    assert own.get(MINE, until="2022-06-01").json()["items"] == []


def test_it_is_a_file_too(own: Door) -> None:
    """As every list is."""
    lines = own.get(MINE, format="csv").text.splitlines()
    assert len(lines) == 3
    assert "净滩" in lines[1]


def test_who_may_read_whose(door: Door, own: Door, person: Volunteer) -> None:
    """Staff and auditors anybody's of the programme, others their own."""
    path = f"/volunteers/{person.id}/service-record"
    for role in (Role.OPERATOR, Role.REVIEWER, Role.AUDITOR):
        assert door.by(role).get(path).json() == own.get(MINE).json()
    for role in PEOPLE - {Role.OPERATOR, Role.REVIEWER, Role.AUDITOR}:
        assert refusal(door.by(role, partner_id=uuid4()).get(path)) == (403, "missing_permission")
    assert refusal(door.elsewhere().get(path)) == (404, "not_found")
    assert refusal(door.by(Role.VOLUNTEER).get(MINE)) == (404, "not_found")
