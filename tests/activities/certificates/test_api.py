import io
import re
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader

from services.activities.attendance.tables import Attendance
from shared.auth import certificate_keys
from shared.auth.certificate_keys import new_seed, public_keys
from shared.documents import certificates
from shared.roles import PEOPLE, Role
from shared.web.options import WebOptions
from shared.web.rates import RateLimiter
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, NOON, at, make_settled, make_shift
from tests.factories.certificates import make_issuer

MINE = "/volunteers/me/certificates"
DAY = {"service_from": "2022-06-01", "service_until": "2022-06-02"}
ISSUER = {"prefix": "PC", "zh": "跳跳糖基金会", "en": "Popcandy Foundation", "contact": "certificates@example.org"}


@pytest.fixture
def record(door: Door) -> Attendance:
    door.watch.now = NOON
    door.put_in(lambda tx: make_issuer(tx, programme_id=door.programme_id))
    return door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))


@pytest.fixture
def own(door: Door, record: Attendance) -> Door:
    return door.by(Role.VOLUNTEER, person_id=record.volunteer_id)


def anybody(door: Door, path: str, **query: Any) -> Any:
    """Call without a token, from an address of its own that has not called yet."""
    door.client.app.state.visitors = RateLimiter(60)  # type: ignore[attr-defined]  # It is our FastAPI.
    return door.client.get(f"/api/activities{path}", params=query)


def pdf_of(door: Door, certificate: Any, *, language: str = "zh") -> bytes:
    answer = door.client.get(
        f"/api/activities/certificates/{certificate['id']}", params={"format": "pdf"},
        headers=door.headers() | {"Accept-Language": language},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return bytes(answer.content)


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")


def found_in(door: Door, pdf: bytes) -> certificates.Verified:
    keys = public_keys(anybody(door, "/certificate-keys").json())
    return certificates.verify(pdf, keys.get)


def code_of(door: Door, certificate: Any) -> str:
    return found_in(door, pdf_of(door, certificate)).signed.code


class TestCertificate:
    def test_a_volunteer_has_it_issued_and_anybody_verifies_it(self, own: Door) -> None:
        """With the public keys alone; again it is the same."""
        certificate = own.post(MINE, **DAY)
        assert certificate.status_code == 201
        assert own.post(MINE, **DAY).json() == certificate.json()
        assert certificate.json()["total_minutes"] == 180
        [listed] = own.get("/certificates").json()["items"]
        assert listed == certificate.json()

        found = found_in(own, pdf_of(own, certificate.json()))

        assert (found.statement.number, found.statement.minutes) == (certificate.json()["number"], 180)
        assert found.statement.programme == str(own.programme_id)

    @pytest.mark.parametrize(
        ("language", "wanted"),
        [
            ("zh", ["志愿服务记录证明", "姓名（显示名）", "3小时", "盖章处", "民政部令第67号", "跳跳糖"]),
            ("en", ["Recordofvolunteerservice", "Volunteernumber", "3h", "Seal", "OrderNo.67", "PopcandyFoundation"]),
        ],
    )  # fmt: skip
    def test_it_shows_what_the_law_asks_for(
        self, own: Door, record: Attendance, language: str, wanted: list[str]
    ) -> None:
        """Identity, hours and content, issuer and contact, number and date, seal; and nowhere the word certified."""
        certificate = own.post(MINE, **DAY).json()
        text = text_of(pdf_of(own, certificate, language=language))

        theirs = ("合成甲", str(record.volunteer_id), "净滩", "绿叶", certificate["number"])
        for words in (*wanted, *theirs, "certificates@example.org"):
            assert words in text, words
        assert "certified" not in text.lower()
        assert "认证" not in text

    def test_the_same_is_given_out_each_time(self, own: Door) -> None:
        """Byte for byte, in each language."""
        certificate = own.post(MINE, **DAY).json()
        assert pdf_of(own, certificate) == pdf_of(own, certificate) != pdf_of(own, certificate, language="en")

    def test_an_operator_has_it_issued_for_who_asked(self, door: Door, own: Door, record: Attendance) -> None:
        """With a reason; it is the person's."""
        path = f"/volunteers/{record.volunteer_id}/certificates"
        certificate = door.post(path, **DAY, reason="来信")
        assert certificate.status_code == 201
        assert certificate.json()["issued_by"] == str(door.person_id)
        assert own.post(MINE, **DAY).json() == certificate.json()
        assert refusal(door.post(path, **DAY)) == (422, "invalid_input")

    @pytest.mark.parametrize(
        ("period", "expected"),
        [
            ({"service_from": "2022-06-02", "service_until": "2022-06-02"}, (422, "bad_certificate_period")),
            ({"service_from": "2022-06-01", "service_until": "2022-06-03"}, (422, "bad_certificate_period")),
            ({"service_from": "2022-05-01", "service_until": "2022-06-01"}, (409, "nothing_to_certify")),
            ({"service_from": "2022-06-01"}, (422, "invalid_input")),
        ],
    )
    def test_what_cannot_be_certified_is_told(self, own: Door, period: Any, expected: tuple[int, str]) -> None:
        """And nothing is issued."""
        assert refusal(own.post(MINE, **period)) == expected
        assert own.get("/certificates").json()["items"] == []

    def test_without_an_issuer_there_is_none(self, door: Door) -> None:
        """Somebody has to answer for it."""
        door.watch.now = NOON
        record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
        own = door.by(Role.VOLUNTEER, person_id=record.volunteer_id)
        assert refusal(own.post(MINE, **DAY)) == (409, "no_certificate_issuer")

    def test_without_the_key_that_signed_it_the_file_is_not_made(self, own: Door) -> None:
        """It would be another certificate; a new key beside the old one is no hindrance."""
        seed = new_seed()
        certificate_keys.use([seed])
        certificate = own.post(MINE, **DAY).json()
        before = pdf_of(own, certificate)
        certificate_keys.use([new_seed(), seed])
        assert pdf_of(own, certificate) == before
        certificate_keys.use([new_seed()])
        answer = own.get(f"/certificates/{certificate['id']}", format="pdf")
        assert refusal(answer) == (409, "certificates_not_set_up")

    def test_others_do_not_see_it(self, door: Door, own: Door) -> None:
        """Staff sees it, auditors that it is there, other people and programmes nothing."""
        certificate = own.post(MINE, **DAY).json()
        path = f"/certificates/{certificate['id']}"
        for role in (Role.OPERATOR, Role.REVIEWER):
            assert door.by(role).get(path).json() == certificate
        assert door.by(Role.AUDITOR).get("/certificates").json()["items"] == [certificate]
        for role in PEOPLE - {Role.OPERATOR, Role.REVIEWER, Role.VOLUNTEER}:
            assert refusal(door.by(role, partner_id=uuid4()).get(path)) == (403, "missing_permission")
        for stranger in (door.by(Role.VOLUNTEER), own.elsewhere(), door.elsewhere()):
            assert refusal(stranger.get(path)) == (404, "not_found")
            assert stranger.get("/certificates").json()["items"] == []
        assert refusal(own.decide(path, "revocation", reason="x")) == (403, "missing_permission")
        assert refusal(door.elsewhere().decide(path, "revocation", reason="x")) == (404, "not_found")


class TestCheck:
    def test_who_has_it_is_told_how_it_stands_and_nothing_else(self, own: Door) -> None:
        """Without a token: number, period, total, state."""
        certificate = own.post(MINE, **DAY).json()
        answer = anybody(own, f"/certificates/{certificate['number']}/check", code=code_of(own, certificate))

        assert answer.status_code == 200
        assert answer.json() == {
            "number": certificate["number"], "service_from": "2022-06-01", "service_until": "2022-06-02",
            "total_minutes": 180, "state": "valid",
        }  # fmt: skip

    def test_who_does_not_have_it_learns_nothing(self, own: Door) -> None:
        """A wrong code is answered as a number that does not exist."""
        certificate = own.post(MINE, **DAY).json()
        path = f"/certificates/{certificate['number']}/check"
        wrong = anybody(own, path, code="A" * 16)
        none = anybody(own, "/certificates/PC-2022-999999/check", code="A" * 16)

        assert refusal(wrong) == refusal(none) == (404, "not_found")
        assert refusal(anybody(own, path)) == (422, "invalid_input")
        assert refusal(anybody(own, path, code="é")) == (404, "not_found")
        assert anybody(own, path, code=f" {code_of(own, certificate).lower()} ").status_code == 200

    def test_an_address_may_ask_so_often(self, own: Door) -> None:
        """Sixty times at once, then it waits; others are not kept from it."""
        within_an_instant = RateLimiter(WebOptions.visits_per_minute, clock=lambda: 0.0)
        own.client.app.state.visitors = within_an_instant  # type: ignore[attr-defined]  # It is our FastAPI.
        statuses = [own.client.get("/api/activities/certificate-keys").status_code for _ in range(61)]

        assert statuses == [200] * 60 + [429]
        assert own.get("/certificates").status_code == 200
        last = own.client.get("/api/activities/certificate-keys")
        assert refusal(last) == (429, "too_many_requests")
        assert int(last.headers["retry-after"]) >= 1

    def test_it_says_when_the_minutes_are_others(self, door: Door, own: Door, record: Attendance) -> None:
        """At once; the file is not given out again, and a new one is."""
        certificate = own.post(MINE, **DAY).json()
        code = code_of(own, certificate)
        times = {"checked_in_at": NINE.isoformat(), "checked_out_at": at(11).isoformat(), "reason": "更正"}
        assert door.decide(f"/attendances/{record.id}", "corrections", **times).status_code == 200

        assert anybody(own, f"/certificates/{certificate['number']}/check", code=code).json()["state"] == "superseded"
        assert own.get(f"/certificates/{certificate['id']}").json()["state"] == "superseded"
        again = own.get(f"/certificates/{certificate['id']}", format="pdf")
        assert (refusal(again), again.json()["facts"]) == ((409, "certificate_not_valid"), {"state": "superseded"})
        renewed = own.post(MINE, **DAY).json()
        assert (renewed["total_minutes"], renewed["state"]) == (120, "valid")
        assert renewed["number"] != certificate["number"]

    def test_a_revoked_one_is_told_to_be(self, door: Door, own: Door) -> None:
        """To who checks, and to who verifies offline by the list; with the reason to who may read it."""
        certificate = own.post(MINE, **DAY).json()
        code, path = code_of(own, certificate), f"/certificates/{certificate['id']}"
        on = door.get(path).headers["etag"]

        revoked = door.decide(path, "revocation", on=on, reason="冒用")

        assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
        assert own.get(path).json()["revoked_because"] == "冒用"
        number = certificate["number"]
        checked = anybody(own, f"/certificates/{number}/check", code=code)
        assert checked.json()["state"] == "revoked"
        assert "冒用" not in checked.text
        prefix, year, _ = number.split("-")
        endings = anybody(own, f"/certificate-endings/{prefix}/{year}").json()
        assert endings == {"prefix": prefix, "year": 2022, "items": [{"number": number, "state": "revoked"}]}
        assert anybody(own, f"/certificate-endings/{prefix}/2021").json()["items"] == []
        assert refusal(door.decide(path, "revocation", reason="冒用")) == (409, "certificate_revoked")
        assert refusal(own.get(path, format="pdf")) == (409, "certificate_not_valid")

    def test_keys_are_published(self, own: Door) -> None:
        """Those that sign, and those of before."""
        old, new = new_seed(), new_seed()
        certificate_keys.use([new, old])
        keys = anybody(own, "/certificate-keys").json()

        assert len(keys["keys"]) == 2
        assert set(keys["keys"][0]) == {"kty", "crv", "use", "alg", "kid", "x"}
        assert not re.search(f"{old}|{new}", str(keys))


def test_who_issues_is_recorded_and_changed(door: Door) -> None:
    """Over what was read; a prefix is one programme's."""
    facts = ISSUER | {"prefix": f"T{uuid4().hex[:7].upper()}"}
    assert refusal(door.get("/certificate-issuer")) == (404, "not_found")
    first = door.call("PUT", "/certificate-issuer", json=facts)
    assert first.status_code == 200
    assert first.json() == facts | {"timezone": "Asia/Shanghai"}

    assert refusal(door.call("PUT", "/certificate-issuer", json=facts)) == (428, "precondition_required")
    changed = door.change("/certificate-issuer", on=first.headers["etag"], **facts | {"contact": "信箱"})
    assert changed.json()["contact"] == "信箱"
    assert door.get("/certificate-issuer").json() == changed.json()
    other = door.elsewhere()
    assert refusal(other.call("PUT", "/certificate-issuer", json=facts)) == (409, "certificate_prefix_taken")
    for wrong in ({"prefix": "pc"}, {"prefix": "P"}, {"prefix": "P" * 9}, {"prefix": "1P"}, {"zh": ""}):
        answer = other.call("PUT", "/certificate-issuer", json=facts | wrong)
        assert refusal(answer) == (422, "invalid_input")
    odd = other.call("PUT", "/certificate-issuer", json=facts | {"prefix": "ODD", "timezone": "Mars/Olympus"})
    assert refusal(odd)[1] == "unknown_timezone"
