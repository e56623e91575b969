from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.activities.sign_ups.tables import SignUp
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, make_sign_up
from tests.factories.kits import ADDRESS, make_craft_shift, make_kit

CONSENT = {"purpose": "kit_address", "version": 1}


@pytest.fixture
def place(door: Door) -> SignUp:
    door.watch.now = NINE - timedelta(days=1)
    return door.put_in(lambda tx: make_sign_up(tx, make_craft_shift(tx, programme_id=door.programme_id)))


@pytest.fixture
def own(door: Door, place: SignUp) -> Door:
    return door.by(Role.VOLUNTEER, person_id=place.volunteer_id)


@pytest.fixture
def host(door: Door, place: SignUp) -> Door:
    shift = door.get(f"/shifts/{place.shift_id}").json()
    return door.by(Role.PARTNER, partner_id=shift["partner_id"])


@pytest.fixture
def kit(host: Door, place: SignUp) -> dict[str, Any]:
    answer = host.post(f"/shifts/{place.shift_id}/kits", volunteer_ids=[str(place.volunteer_id)])
    assert answer.status_code == 201
    [outcome] = answer.json()["items"]
    assert outcome["refused"] is None
    shown: dict[str, Any] = outcome["kit"]
    return shown


def path_of(kit: dict[str, Any]) -> str:
    return f"/kits/{kit['id']}"


def parcel(kit: dict[str, Any]) -> dict[str, str]:
    return {"kit_id": kit["id"], "carrier": "顺丰", "tracking_number": "SF1"}


def test_a_kit_goes_out_and_arrives(own: Door, host: Door, place: SignUp, kit: dict[str, Any]) -> None:
    """Issued, addressed with consent, sent, confirmed with one tap; then the address is gone."""
    shipments = f"/shifts/{place.shift_id}/kit-shipments"
    assert (kit["state"], kit["due_at"]) == ("issued", "2022-06-15T16:00:00Z")
    assert host.post(shipments, items=[parcel(kit)]).json()["items"] == [{"kit": None, "refused": "no_kit_address"}]
    assert refusal(own.post(f"{path_of(kit)}/address", **ADDRESS)) == (409, "kit_address_consent_needed")
    assert own.post("/volunteers/me/consents", **CONSENT).status_code == 201
    given = own.post(f"{path_of(kit)}/address", **ADDRESS)
    assert (given.status_code, ADDRESS["postal_address"] in given.text) == (200, False)

    labels = host.get(f"/shifts/{place.shift_id}/kit-addresses").json()["items"]
    assert labels == [{"kit_id": kit["id"]} | ADDRESS]
    [sent] = host.post(shipments, items=[parcel(kit)]).json()["items"]
    assert (sent["kit"]["state"], sent["kit"]["tracking_number"]) == ("shipped", "SF1")
    assert host.get(f"{path_of(kit)}/address").json() == {"kit_id": kit["id"]} | ADDRESS
    for _ in range(2):
        assert own.post(f"{path_of(kit)}/receive").json()["state"] == "received"

    for caller in (own, host):
        assert refusal(caller.get(f"{path_of(kit)}/address")) == (404, "not_found")


def test_many_are_issued_with_an_outcome_each(door: Door, host: Door, place: SignUp) -> None:
    """In the order in which they were sent; at most two hundred."""
    people = [str(place.volunteer_id), str(uuid4())]
    done, refused = host.post(f"/shifts/{place.shift_id}/kits", volunteer_ids=people).json()["items"]
    assert (done["kit"]["volunteer_id"], refused) == (people[0], {"kit": None, "refused": "not_signed_up"})
    too_many = host.post(f"/shifts/{place.shift_id}/kits", volunteer_ids=people * 101)
    assert refusal(too_many) == (422, "invalid_input")
    stranger = door.by(Role.PARTNER, partner_id=uuid4())
    assert refusal(stranger.post(f"/shifts/{place.shift_id}/kits", volunteer_ids=people)) == (404, "not_found")


def test_a_withdrawn_consent_hides_the_address_at_once(own: Door, host: Door, kit: dict[str, Any]) -> None:
    """From everybody."""
    own.post("/volunteers/me/consents", **CONSENT)
    own.post(f"{path_of(kit)}/address", **ADDRESS)
    assert host.get(f"{path_of(kit)}/address").status_code == 200
    assert own.post("/volunteers/me/consents/withdrawals", purpose="kit_address").status_code == 201
    for caller in (host, own):
        assert refusal(caller.get(f"{path_of(kit)}/address")) == (404, "not_found")


def test_a_partner_records_receipt_and_takes_back(door: Door, host: Door, kit: dict[str, Any]) -> None:
    """The one of what was sent, on evidence, the other of what was not."""
    assert refusal(host.post(f"{path_of(kit)}/record-receipt", evidence_note="已签收")) == (409, "kit_state_differs")
    assert host.post(f"{path_of(kit)}/cancel").json()["cancelled_because"] == "by_host"
    sent = door.put_in(lambda tx: make_kit(tx, state="shipped", programme_id=door.programme_id))
    partner = door.by(Role.PARTNER, partner_id=sent.partner_id)
    received = partner.post(f"/kits/{sent.id}/record-receipt", evidence_note="已签收").json()
    assert (received["state"], received["receipt_note"]) == ("received", "已签收")


def test_each_sees_their_own(door: Door, own: Door, host: Door, kit: dict[str, Any]) -> None:
    """Staff sees all; another partner, volunteer or programme nothing."""
    for caller in (door, own, host):
        assert caller.get(path_of(kit)).json()["id"] == kit["id"]
        assert [row["id"] for row in caller.get("/kits").json()["items"]] == [kit["id"]]
    for stranger in (door.by(Role.PARTNER, partner_id=uuid4()), door.by(Role.VOLUNTEER), door.elsewhere()):
        assert refusal(stranger.get(path_of(kit))) == (404, "not_found")
        assert stranger.get("/kits").json()["items"] == []


def test_what_is_overdue_is_listed_day_by_day(door: Door) -> None:
    """By state and by when it was due."""
    late = door.put_in(lambda tx: make_kit(tx, state="overdue", programme_id=door.programme_id))
    other = door.put_in(lambda tx: make_kit(tx, state="shipped", programme_id=door.programme_id))
    day = {"due_from": "2022-06-15T00:00:00Z", "due_before": "2022-06-16T00:00:00Z", "sort": "due_at"}
    found = door.get("/kits", state="overdue", **day).json()["items"]
    assert [row["id"] for row in found] == [str(late.id)]
    assert door.get("/kits", state="overdue", due_before="2022-06-15T00:00:00Z").json()["items"] == []
    found = door.get("/kits", shift_id=str(other.shift_id)).json()["items"]
    assert [row["id"] for row in found] == [str(other.id)]


def test_what_was_agreed_is_shown(door: Door, host: Door, own: Door, kit: dict[str, Any]) -> None:
    """To whoever sees the activity; of one without kits it is said that there are none."""
    expected = {
        "listing_id": kit["listing_id"], "contents": "毛线", "ceiling": {"currency": "CNY", "fen": 3_000},
        "due_days": 10,
    }  # fmt: skip
    for caller in (door, host, own):
        assert caller.get(f"/listings/{kit['listing_id']}/kit-terms").json() == expected
    assert refusal(door.get(f"/listings/{uuid4()}/kit-terms")) == (404, "not_found")


def test_an_undecided_shift_sends_nothing(door: Door) -> None:
    """Nor one whose activity has no kit."""
    open_shift = door.put_in(lambda tx: make_craft_shift(tx, programme_id=door.programme_id, state="open"))
    host = door.by(Role.PARTNER, partner_id=open_shift.partner_id)
    answer = host.post(f"/shifts/{open_shift.id}/kits", volunteer_ids=[str(uuid4())])
    assert refusal(answer) == (409, "kit_before_go")
