from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.consents import rules
from services.activities.listings.tables import Shift
from services.activities.sign_ups.actions import withdraw_ahead
from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, make_shift, make_sign_up, make_volunteer


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id, capacity=1))


class TestRoster:
    @pytest.fixture
    def guests(self, door: Door, shift: Shift) -> list[Volunteer]:
        """Give two people places, in this order."""
        return door.put_in(lambda tx: [self._guest(tx, shift, name) for name in ("合成甲", "合成乙")])

    def _guest(self, tx: Session, shift: Shift, name: str) -> Volunteer:
        person = make_volunteer(tx, programme_id=shift.programme_id, display_name=name)
        make_sign_up(tx, tx.merge(shift), volunteer=person)
        return person

    def _decide(self, door: Door, person: Volunteer, decision: str) -> None:
        own = door.by(Role.VOLUNTEER, person_id=person.id)
        body: dict[str, Any] = {"purpose": "partner_roster"}
        if decision == "given":
            assert own.post("/volunteers/me/consents", **body, version=1).status_code == 201
        else:
            assert own.post("/volunteers/me/consents/withdrawals", **body).status_code == 201

    def _names(self, door: Door, shift: Shift) -> list[tuple[int, str | None, str]]:
        answer = door.by(Role.PARTNER, partner_id=shift.partner_id).get(f"/shifts/{shift.id}/roster")
        assert answer.status_code == 200, answer.text
        return [(item["number"], item["display_name"], item["pseudonym_zh"]) for item in answer.json()["items"]]

    def test_a_host_sees_the_names_of_those_who_consent(
        self, door: Door, shift: Shift, guests: list[Volunteer]
    ) -> None:
        """From then on, and until they withdraw; the others are numbers that never change."""
        assert self._names(door, shift) == [(1, None, "志愿者 01"), (2, None, "志愿者 02")]
        self._decide(door, guests[1], "given")
        assert self._names(door, shift) == [(1, None, "志愿者 01"), (2, "合成乙", "志愿者 02")]
        self._decide(door, guests[1], "withdrawn")
        assert self._names(door, shift) == [(1, None, "志愿者 01"), (2, None, "志愿者 02")]
        self._decide(door, guests[1], "given")
        assert self._names(door, shift)[1][1] == "合成乙"

    def test_it_holds_nothing_else_of_a_person(self, door: Door, shift: Shift, guests: list[Volunteer]) -> None:
        """Least of all the employee number."""
        self._decide(door, guests[0], "given")
        answer = door.by(Role.PARTNER, partner_id=shift.partner_id).get(f"/shifts/{shift.id}/roster")
        first, second = answer.json()["items"]
        assert first == {
            "number": 1, "sign_up_id": first["sign_up_id"], "state": "confirmed",
            "volunteer_id": str(guests[0].id), "display_name": "合成甲", "pseudonym_zh": "志愿者 01",
            "pseudonym_en": "Volunteer 01", "signed_up_at": "2022-06-01T01:00:00Z",
        }  # fmt: skip
        assert second["display_name"] is None
        assert guests[0].employee_number not in answer.text
        assert guests[1].display_name not in answer.text

    def test_a_name_is_shown_to_the_host_of_that_shift_only(
        self, door: Door, shift: Shift, guests: list[Volunteer]
    ) -> None:
        """Another partner, another programme and volunteers see no roster; staff see what the host sees."""
        self._decide(door, guests[0], "given")
        path = f"/shifts/{shift.id}/roster"
        for stranger in (
            door.by(Role.PARTNER, partner_id=uuid4()),
            door.elsewhere(),
            door.elsewhere().by(Role.PARTNER, partner_id=shift.partner_id),
        ):
            assert refusal(stranger.get(path)) == (404, "not_found")
        assert refusal(door.by(Role.PARTNER).get(path)) == (403, "no_partner")
        for role in (Role.VOLUNTEER, Role.FINANCE, Role.AUDITOR, Role.FUNDER):
            assert refusal(door.by(role).get(path)) == (403, "missing_permission")
        assert [item["display_name"] for item in door.get(path).json()["items"]] == ["合成甲", None]

    def test_consent_without_a_place_shows_nobody(self, door: Door, shift: Shift, guests: list[Volunteer]) -> None:
        """A place that was given back is none, and those after it keep their numbers."""
        stranger = door.put_in(lambda tx: make_volunteer(tx, programme_id=door.programme_id, display_name="合成丙"))
        self._decide(door, stranger, "given")
        door.put_in(lambda tx: withdraw_ahead(tx, volunteer_id=guests[0].id, attended=[], over_at=NINE, now=NINE))

        assert self._names(door, shift) == [(2, None, "志愿者 02")]

    def test_consent_to_a_text_that_said_less_shows_nobody(
        self, door: Door, shift: Shift, guests: list[Volunteer], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever read the old one is asked again first."""
        self._decide(door, guests[0], "given")
        terms = rules.TERMS[rules.Purpose.PARTNER_ROSTER]
        monkeypatch.setitem(rules.TERMS, rules.Purpose.PARTNER_ROSTER, replace(terms, holds_since=2))

        assert [name for _, name, _ in self._names(door, shift)] == [None, None]
