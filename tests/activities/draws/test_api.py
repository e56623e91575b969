from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.draws import rules
from services.activities.draws.actions import hold_due
from services.activities.listings.tables import Shift
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, make_draw, make_shift, make_sign_up

BEFORE = NINE - timedelta(days=2)
DRAWN = NINE - timedelta(days=1)
DRAW = {"draws_at": "2022-05-31T01:00:00Z"}


@pytest.fixture
def shift(door: Door) -> Shift:
    door.watch.now = BEFORE
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))


def test_a_draw_is_declared_by_the_host_on_what_was_read(door: Door, shift: Shift) -> None:
    """Its hash is told, and the seed to nobody."""
    host, path = door.by(Role.PARTNER, partner_id=shift.partner_id), f"/shifts/{shift.id}"
    read = host.get(path).headers["etag"]
    assert refusal(host.get(f"{path}/draw")) == (404, "not_found")
    assert refusal(host.post(f"{path}/draw", **DRAW)) == (428, "precondition_required")

    answer = host.decide(path, "draw", on=read, **DRAW)

    assert answer.status_code == 201
    shown = answer.json()
    assert shown == door.by(Role.VOLUNTEER).get(f"{path}/draw").json()
    assert (shown["draws_at"], shown["drawn_at"], shown["seed"], shown["order"]) == (DRAW["draws_at"], None, None, [])
    assert len(shown["commitment"]) == 64
    assert door.get(path).json()["awaits_draw"]
    assert refusal(host.decide(path, "draw", **DRAW)) == (409, "already_signed_up")
    assert refusal(host.decide(path, "draw", on=read, **DRAW)) == (412, "precondition_failed")


def test_nobody_else_declares_one(door: Door, shift: Shift) -> None:
    """Nor for a time that is too late."""
    path = f"/shifts/{shift.id}"
    for stranger in (door.by(Role.PARTNER, partner_id=uuid4()), door.elsewhere()):
        assert refusal(stranger.decide(path, "draw", **DRAW)) == (404, "not_found")
        assert refusal(stranger.get(f"{path}/draw")) == (404, "not_found")
    answer = door.decide(path, "draw", draws_at="2022-06-01T00:00:00Z")
    assert (refusal(answer), answer.json()["facts"]["field"]) == ((422, "bad_shift"), "draws_at")


def test_what_was_drawn_can_be_drawn_again_by_anybody(door: Door) -> None:
    """From what the route tells, and nothing else."""
    door.watch.now = BEFORE

    def make(tx: Session) -> Shift:
        shift = make_shift(tx, programme_id=door.programme_id)
        make_draw(tx, shift)
        for _ in range(5):
            make_sign_up(tx, shift, state="waitlisted")
        return shift

    shift = door.put_in(make)
    door.put_in(lambda tx: hold_due(tx, now=DRAWN))

    shown = door.by(Role.VOLUNTEER).get(f"/shifts/{shift.id}/draw").json()

    assert (shown["drawn_at"], shown["entries"], len(shown["order"])) == (DRAW["draws_at"], 5, 5)
    assert rules.commitment_of(shown["seed"]) == shown["commitment"]
    entries = [UUID(entry) for entry in shown["order"]]
    assert rules.drawn(shown["seed"], sorted(entries)) == entries
