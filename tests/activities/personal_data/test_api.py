from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.incidents.tables import Incident
from services.activities.kit_returns.tables import KitCost
from services.activities.kits.tables import Kit, KitAddress
from services.activities.listings.tables import Shift
from services.activities.personal_data.schemas import PARTS
from services.activities.volunteers.tables import Volunteer
from shared.roles import PEOPLE, Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, at, code, make_incident, make_shift, make_sign_up, make_volunteer
from tests.factories.certificates import make_issuer
from tests.factories.kits import ADDRESS, make_address, make_craft_shift, make_kit, make_kit_cost

DATA, ERASURE = "/volunteers/me/data", "/volunteers/me/erasure"


@pytest.fixture
def person(door: Door) -> Volunteer:
    return door.put_in(
        lambda tx: make_volunteer(tx, programme_id=door.programme_id, employee_number="E1", display_name="合成甲")
    )


@pytest.fixture
def own(door: Door, person: Volunteer) -> Door:
    return door.by(Role.VOLUNTEER, person_id=person.id)


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))


def serve(own: Door, shift: Shift) -> None:
    """Sign up, consent, give a wrong code once, come and leave."""
    assert own.post(f"/shifts/{shift.id}/sign-ups").status_code == 201
    assert own.post("/volunteers/me/consents", purpose="partner_roster", version=1).status_code == 201
    phone = "a-telephone-of-somebody"
    assert own.post(f"/shifts/{shift.id}/check-ins", code=code(NINE), device=phone).status_code == 201
    own.watch.now = at(11)
    assert refusal(own.post(f"/shifts/{shift.id}/check-outs", code="000000")) == (422, "wrong_code")
    assert own.post(f"/shifts/{shift.id}/check-outs", code=code(at(11))).status_code == 200


def employ(door: Door, person: Volunteer) -> None:
    """Say since when somebody is employed."""
    path, said = f"/volunteers/{person.id}/eligibility", {"intervals": [{"since": "2020-01-01"}], "reason": "人事来函"}
    assert door.change(path, on="*", **said).status_code == 200


class TestExport:
    def test_a_person_takes_out_everything(self, own: Door, person: Volunteer, shift: Shift) -> None:
        """Who they are, what they decided, where they were, and who looked before."""
        serve(own, shift)
        own.watch.now = NOON
        first = own.get(DATA)
        assert first.status_code == 200
        data = own.get(DATA).json()

        assert data["made_at"] == "2022-06-01T04:00:00Z"
        assert data["person"] == {
            "id": str(person.id), "programme_id": str(own.programme_id), "employee_number": "E1",
            "display_name": "合成甲", "registered_at": "2022-06-01T01:00:00Z",
        }  # fmt: skip
        assert [(each["purpose"], each["decision"]) for each in data["consents"]] == [("partner_roster", "given")]
        [place] = data["sign_ups"]
        assert (place["shift_id"], place["title"], place["source"]) == (str(shift.id), "净滩", "self")
        [attendance] = data["attendances"]
        assert (attendance["state"], attendance["service_minutes"]) == ("settled", 120)
        [version] = attendance["versions"]
        assert (version["kind"], version["evidence"], version["matchable_minutes"]) == ("settled", "scanned", 120)
        assert [(each["way"], each["has_device_mark"]) for each in data["scans"]] == [("in", True), ("out", False)]
        assert [(each["kind"], each["reason"]) for each in data["accesses"]] == [("export", None)]

    def test_incidents_of_a_person_are_in_it(self, own: Door, person: Volunteer, shift: Shift) -> None:
        """Those that they opened; erased, they are without the person's words."""
        values = {"opened_side": "volunteer", "opened_by": person.id}
        own.put_in(lambda tx: make_incident(tx, shift=tx.merge(shift), **values))
        [incident] = own.get(DATA).json()["incidents"]
        assert (incident["kind"], incident["details"], incident["state"]) == ("complaint", "没有人接待", "open")

        assert own.post(ERASURE, confirmed=True).status_code == 200

        words = own.put_in(lambda tx: tx.scalars(select(Incident.details).where(Incident.opened_by == person.id)).all())
        assert words == [""]

    def test_kits_of_a_person_are_in_it(self, own: Door, person: Volunteer) -> None:
        """With where one goes as long as that is kept, and what the partner claims; erased, ids and amounts stay."""

        def make(tx: Session) -> tuple[Kit, Kit]:
            shift, other = (make_craft_shift(tx, programme_id=own.programme_id) for _ in range(2))
            mine = make_kit(tx, place=make_sign_up(tx, shift, volunteer=tx.merge(person)), state="shipped")
            make_address(tx, mine)
            lost = make_kit(tx, place=make_sign_up(tx, other, volunteer=tx.merge(person)), state="lost")
            make_kit_cost(tx, lost)
            return mine, lost

        mine, lost = own.put_in(make)
        data = own.get(DATA).json()
        assert [(each["id"], each["state"]) for each in data["kits"]] == [
            (str(mine.id), "shipped"), (str(lost.id), "lost"),
        ]  # fmt: skip
        assert {name: data["kits"][0][name] for name in ADDRESS} == ADDRESS
        assert {name: data["kits"][1][name] for name in ADDRESS} == dict.fromkeys(ADDRESS)
        [cost] = data["kit_costs"]
        assert (cost["kit_id"], cost["amount_fen"], cost["reason"]) == (str(lost.id), 2_000, "没有寄回")

        assert own.post(ERASURE, confirmed=True).status_code == 200

        def left(tx: Session) -> tuple[object, ...]:
            where = tx.scalars(select(KitAddress).where(KitAddress.kit_id == mine.id)).all()
            claim = tx.scalars(select(KitCost).where(KitCost.kit_id == lost.id)).one()
            return where, tx.get_one(Kit, mine.id).tracking_number, claim.reason, claim.amount_fen

        assert own.put_in(left) == ([], None, "", 2_000)

    def test_what_would_let_others_pretend_is_not_in_it(self, own: Door, shift: Shift) -> None:
        """Neither the secret behind the code nor which code it was; nor anybody else."""
        own.put_in(lambda tx: make_sign_up(tx, tx.merge(shift)))
        serve(own, shift)
        answer = own.get(DATA)
        assert shift.code_secret not in answer.text
        assert '"step"' not in answer.text
        assert len(answer.json()["sign_ups"]) == 1

    def test_what_they_are_besides_is_in_it(self, door: Door, own: Door, person: Volunteer) -> None:
        """Their profile, and when they are employed; version 0 of what nobody ever said."""
        empty = own.get(DATA).json()
        assert (empty["profile"]["version"], empty["eligibility"]["version"]) == (0, 0)
        own.change("/volunteers/me/profile", on='"0"', city="上海", languages=["zh"])
        employ(door, person)

        data = own.get(DATA).json()

        assert data["profile"] == {
            "version": 1, "department": None, "city": "上海", "languages": ["zh"], "skills": [],
            "changed_by": str(person.id), "changed_at": "2022-06-01T01:00:00Z",
        }  # fmt: skip
        assert data["eligibility"] == {
            "version": 1, "reason": "人事来函", "recorded_by": str(door.person_id),
            "recorded_at": "2022-06-01T01:00:00Z", "intervals": [{"since": "2020-01-01", "until": None}],
        }  # fmt: skip

    def test_each_field_says_what_it_is(self, door: Door, own: Door, person: Volunteer, shift: Shift) -> None:
        """In both languages, by its path, so that a machine finds it."""
        serve(own, shift)
        answers = {"overall": 5, "organisation": 4, "meaning": 5, "would_return": True}
        body = {"form_version": 0, "answers": answers}
        assert own.call("PUT", f"/shifts/{shift.id}/feedback/mine", json=body).status_code == 200
        own.put_in(lambda tx: make_issuer(tx, programme_id=own.programme_id))
        day = {"service_from": "2022-06-01", "service_until": "2022-06-02"}
        assert own.post("/volunteers/me/certificates", **day).status_code == 201
        employ(door, person)
        data = own.get(DATA).json()
        for part in PARTS:
            first, _, inner = part.partition(".")
            found = data[first] if isinstance(data[first], dict) else (data[first] or [{}])[0]
            rows = found[inner][0] if inner else found
            for name in rows:
                meaning = data["fields"][f"{part}.{name}"]
                assert meaning["zh"]
                assert meaning["en"]

    def test_staff_take_it_out_for_who_asked(self, door: Door, own: Door, person: Volunteer) -> None:
        """With the reason, which the person sees; the two hold the same."""
        answer = door.post(f"/volunteers/{person.id}/data-exports", reason="来信索取")

        assert answer.status_code == 200
        mine = own.get(DATA).json()
        assert answer.json()["person"] == mine["person"]
        assert mine["accesses"][0] == {
            "kind": "export", "accessed_by": str(door.person_id), "reason": "来信索取",
            "accessed_at": "2022-06-01T01:00:00Z",
        }  # fmt: skip
        assert refusal(door.post(f"/volunteers/{person.id}/data-exports", reason=" ")) == (422, "invalid_input")
        assert len(own.get(DATA).json()["accesses"]) == 2

    def test_looking_again_is_recorded_once_an_hour(self, own: Door) -> None:
        """A page that asks every second must not fill what nobody can empty."""
        for minutes, recorded in ((0, 1), (59, 1), (60, 2), (61, 2)):
            own.watch.now = NINE + timedelta(minutes=minutes)
            assert len(own.get(DATA).json()["accesses"]) == recorded

    def test_what_staff_take_out_is_recorded_each_time(self, door: Door, own: Door, person: Volunteer) -> None:
        """Also within the hour in which the person looked themself."""
        assert len(own.get(DATA).json()["accesses"]) == 1
        for _ in range(2):
            assert door.post(f"/volunteers/{person.id}/data-exports", reason="来信索取").status_code == 200

        assert [each["reason"] for each in own.get(DATA).json()["accesses"]].count("来信索取") == 2

    def test_nobody_else_gets_it(self, door: Door, own: Door, person: Volunteer) -> None:
        """Another programme, another person, other roles."""
        path = f"/volunteers/{person.id}/data-exports"
        assert refusal(door.elsewhere().post(path, reason="r")) == (404, "not_found")
        assert refusal(own.elsewhere().get(DATA)) == (404, "not_found")
        assert refusal(own.post(path, reason="r")) == (403, "missing_permission")
        assert door.by(Role.ADMIN).post(path, reason="r").status_code == 200
        for role in PEOPLE - {Role.OPERATOR, Role.ADMIN}:
            assert refusal(door.by(role, partner_id=uuid4()).post(path, reason="r")) == (403, "missing_permission")


class TestErasure:
    def test_a_person_erases_themself(self, door: Door, own: Door, person: Volunteer, shift: Shift) -> None:
        """Then nobody is there any more: nothing can be done with the token that is still good."""
        serve(own, shift)
        own.watch.now = NOON
        answer = own.post(ERASURE, confirmed=True)

        assert answer.status_code == 200
        assert answer.json() == {
            "volunteer_id": str(person.id), "erased_by": str(person.id), "reason": None,
            "erased_at": "2022-06-01T04:00:00Z",
        }  # fmt: skip
        assert own.post(ERASURE, confirmed=True).json() == answer.json()
        [left] = door.get("/volunteers").json()["items"]
        assert (left["id"], left["erased_at"]) == (str(person.id), "2022-06-01T04:00:00Z")
        assert "合成甲" not in door.get("/volunteers").text
        for gone in (own.get(DATA), own.get("/volunteers/me/consents"), own.post(f"/shifts/{shift.id}/sign-ups")):
            assert refusal(gone) == (404, "not_found")
        [attendance] = door.get("/attendances").json()["items"]
        assert (attendance["volunteer_id"], attendance["service_minutes"]) == (str(person.id), 120)
        roster = door.by(Role.PARTNER, partner_id=shift.partner_id).get(f"/shifts/{shift.id}/roster").json()
        assert roster == {"items": []}

    @pytest.mark.parametrize("body", [{}, {"confirmed": False}, {"confirmed": "yes"}])
    def test_it_is_not_done_by_a_slip(self, door: Door, own: Door, person: Volunteer, body: dict[str, Any]) -> None:
        """Whoever asks says that they know it is for good."""
        assert refusal(own.post(ERASURE, **body)) == (422, "invalid_input")
        path = f"/volunteers/{person.id}/erasure"
        assert refusal(door.post(path, reason="来信", **body)) == (422, "invalid_input")
        assert refusal(door.post(path, confirmed=True)) == (422, "invalid_input")
        assert own.get(DATA).status_code == 200

    def test_not_in_the_middle_of_a_service(self, own: Door, shift: Shift) -> None:
        """They are told to check out first."""
        own.post(f"/shifts/{shift.id}/sign-ups")
        own.post(f"/shifts/{shift.id}/check-ins", code=code(NINE))
        assert refusal(own.post(ERASURE, confirmed=True)) == (409, "service_under_way")

    def test_staff_erase_with_a_reason(self, door: Door, person: Volunteer) -> None:
        """An operator or an administrator, of this programme; the second finds it done."""
        path, body = f"/volunteers/{person.id}/erasure", {"reason": "来信", "confirmed": True}
        assert refusal(door.elsewhere().post(path, **body)) == (404, "not_found")
        for role in PEOPLE - {Role.OPERATOR, Role.ADMIN}:
            caller = door.by(role, partner_id=uuid4(), person_id=person.id)
            assert refusal(caller.post(path, **body)) == (403, "missing_permission")

        answer = door.by(Role.ADMIN).post(path, **body)

        assert (answer.status_code, answer.json()["reason"]) == (200, "来信")
        assert door.post(path, **body).json() == answer.json()
        assert refusal(door.post(f"/volunteers/{uuid4()}/erasure", **body)) == (404, "not_found")
