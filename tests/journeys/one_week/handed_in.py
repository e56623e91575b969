"""Work that is handed in, once again and accepted; kits that go out, one of which does not come back."""

from typing import Any

import httpx2

from tests.factories.deliverables import PDF
from tests.journeys.one_week.company import MINUTE, PATH, Company, moment
from tests.journeys.people import Shift, Volunteer

CEILING_FEN, CLAIMED_FEN, APPROVED_FEN = 3_000, 2_800, 2_500
HOME = {"recipient": "小跳", "phone": "00000000000", "postal_address": "示例市示例路 1 号"}


def hand_in(company: Company, shift: Shift, volunteer: Volunteer) -> dict[str, Any]:
    """Hand work in on Sunday, again on Tuesday, as it was asked for on Monday; return it as accepted on Wednesday."""
    company.go_on(shift.ends_at + MINUTE, "owe_deliverables")
    (owed,) = volunteer.get(f"{PATH}/deliverables")["items"]
    path = f"{PATH}/deliverables/{owed['id']}"
    company.go_on(moment(6, 20))
    _send(volunteer, f"{path}/submissions", pieces=4)
    company.go_on(moment(7, 10))
    company.partner.decide(path, "request-revision", {"reason": "第二章漏读"})
    company.go_on(moment(8, 20))
    _send(volunteer, f"{path}/submissions", pieces=3)
    company.go_on(moment(9, 10))
    company.partner.decide(path, "accept", {})
    return dict(volunteer.get(path))


def _send(volunteer: Volunteer, path: str, *, pieces: int) -> None:
    """Send in a file as a browser does."""
    sent = httpx2.post(
        volunteer.town.apis["activities"].url + path, headers={"authorization": f"Bearer {volunteer.token}"},
        files={"files": (f"{pieces}.pdf", PDF)}, data={"pieces": str(pieces)}, trust_env=False, timeout=30,
    )  # fmt: skip
    assert sent.status_code == httpx2.codes.CREATED, sent.text


def send_kits(company: Company, shift: Shift, people: tuple[Volunteer, ...]) -> list[str]:
    """Decide that the shift happens, and send each person a kit to where they say; return the kits' ids."""
    company.partner.decide(f"{PATH}/shifts/{shift.id}", "go")
    ids = {"volunteer_ids": [str(volunteer.id) for volunteer in people]}
    issued = company.partner.post(f"{PATH}/shifts/{shift.id}/kits", ids)["items"]
    kits = [str(each["kit"]["id"]) for each in issued]
    for volunteer, kit_id in zip(people, kits, strict=True):
        _consent(volunteer)
        volunteer.post(f"{PATH}/kits/{kit_id}/address", HOME)
    parcels = [{"kit_id": kit_id, "carrier": "示例快递", "tracking_number": f"SF-{kit_id[-6:]}"} for kit_id in kits]
    company.partner.post(f"{PATH}/shifts/{shift.id}/kit-shipments", {"items": parcels})
    for volunteer, kit_id in zip(people, kits, strict=True):
        volunteer.post(f"{PATH}/kits/{kit_id}/receive")
    return kits


def lose(company: Company, kit_id: str) -> tuple[str, int]:
    """Give up a kit that is overdue, and decide what its partner is owed; return its state, and fen."""
    path = f"{PATH}/kits/{kit_id}"
    company.operator.decide(path, "lose", {"reason": "联系不上"})
    cost = {"amount_fen": CLAIMED_FEN, "reason": "没有寄回", "evidence_note": "采购单据"}
    claim = company.partner.post(f"{path}/cost", cost)
    approval = {"reason": "按采购单据", "approved_fen": APPROVED_FEN}
    approved = company.second_operator.decide(f"{PATH}/kit-costs/{claim['id']}", "approve", approval)
    return company.partner.get(path)["state"], approved["approved"]["fen"]


def _consent(volunteer: Volunteer) -> None:
    texts = volunteer.get(f"{PATH}/consent-texts")["items"]
    version = next(each["version"] for each in texts if each["purpose"] == "kit_address" and each["is_current"])
    volunteer.post(f"{PATH}/volunteers/me/consents", {"purpose": "kit_address", "version": version})
