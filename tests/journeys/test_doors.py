"""Bad input at the doors, as the person who gives it sees it."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from launch.refused import Problem
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.roles import PEOPLE, Role
from shared.settings import Settings
from tests.journeys import phones
from tests.journeys.conftest import embedded_town
from tests.journeys.people import Cast, Shift, Town, gather, until_idle

SLOT = timedelta(minutes=5)
PERSON = re.compile(r'name="person" value="([0-9a-f-]{36})"')


@pytest.fixture(scope="module")
def here() -> Iterator[Town]:
    with embedded_town() as found:
        yield found


@pytest.fixture(scope="module")
def cast(here: Town) -> Cast:
    return gather(here, policy_from=clock.now() - timedelta(days=2))


@pytest.fixture(scope="module")
def slots() -> Iterator[timedelta]:
    """Count from now on in times that do not overlap, for nobody has two places at one time."""
    return (place * SLOT for place in count())


@pytest.fixture
def shift(cast: Cast, slots: Iterator[timedelta]) -> Shift:
    """Publish a shift whose check-in is open now, with a place for the volunteer."""
    starts_at = clock.now().replace(second=0, microsecond=0) + next(slots)
    shift = cast.partner.publish_shift(starts_at=starts_at, minutes=SLOT // timedelta(minutes=1))
    cast.volunteer.sign_up(shift)
    return shift


def wrong(code: str) -> str:
    """Return a code that is none of the last ten minutes', nor the next: some of a million are left."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


class TestCodes:
    def test_a_wrong_code_is_named_on_the_phone(self, cast: Cast, shift: Shift) -> None:
        """The volunteer reads what to do, and is not checked in."""
        page = cast.volunteer.scan(shift, wrong(cast.partner.shown_code(shift)), "check-in")

        assert "The code is wrong" in page
        assert cast.volunteer.standing(shift)["state"] == "expected"

    def test_three_taps_are_one_check_in(self, cast: Cast, shift: Shift) -> None:
        """Of an impatient thumb: each answer is that of the first, and the trail has one entry."""
        code = cast.partner.shown_code(shift)
        with phones.phone(cast.volunteer.town.pages_url) as phone, ThreadPoolExecutor(3) as thumb:
            page = phones.sign_in(phone, f"/c/{shift.id}?code={code}", person_id=cast.volunteer.id)
            taps = [thumb.submit(phones.tap, phone, page, f"/c/{shift.id}/check-in", code=code) for _ in range(3)]
            answers = [tap.result() for tap in taps]

        assert [("Checked in at" in answer.text, 'role="alert"' in answer.text) for answer in answers] == [
            (True, False)
        ] * 3  # fmt: skip
        trail = cast.auditor.get("/api/activities/audit-entries", thing_id=shift.id, operation="check_in")
        assert len(trail["items"]) == 1

    def test_guessing_is_limited(self, cast: Cast, shift: Shift) -> None:
        """After five wrong codes the right one has to wait too."""
        code = cast.partner.shown_code(shift)
        codes = [*[wrong(code)] * 5, code]

        assert [self._refusal(cast, shift, given) for given in codes] == [
            *[(422, "wrong_code")] * 5, (429, "too_many_attempts"),
        ]  # fmt: skip

    def test_the_code_of_the_arrival_does_not_prove_the_departure(self, cast: Cast, shift: Shift) -> None:
        """One photo is not two hours."""
        code = cast.partner.shown_code(shift)
        cast.volunteer.scan(shift, code, "check-in")

        with pytest.raises(Problem) as refusal:
            cast.volunteer.post(f"/api/activities/shifts/{shift.id}/check-outs", {"code": code})

        assert refusal.value.code == "code_reused"
        until_idle(cast.ops)
        assert cast.partner.get("/api/ledger/donations", shift_id=shift.id)["items"] == []

    @staticmethod
    def _refusal(cast: Cast, shift: Shift, code: str) -> tuple[int, str]:
        with pytest.raises(Problem) as refusal:
            cast.volunteer.post(f"/api/activities/shifts/{shift.id}/check-ins", {"code": code})
        return refusal.value.status, refusal.value.code


class TestHomes:
    @pytest.mark.usefixtures("cast")  # Volunteers and partners are then such as the records know.
    def test_every_part_of_every_person_s_first_page_is_there(self, here: Town) -> None:
        """The APIs give each role what its page asks for, as it asks for it."""
        with phones.phone(here.pages_url) as phone:
            people = PERSON.findall(phone.get("/sign-in").text)
        assert len(people) >= len(PEOPLE)
        for person_id in people:
            with phones.phone(here.pages_url) as phone:
                page = phones.sign_in(phone, "/", person_id=UUID(person_id))
            assert page.url.path == "/"
            assert page.text.count('<section class="card part"') >= 1
            assert 'role="alert"' not in page.text, page.text


def part(content: dict[str, Any] | bytes) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims_of(token: str) -> str:
    return token.split(".")[1]


def garbage(_town: Town, _token: str) -> str:
    return "not-a-token"


def truncated(_town: Town, token: str) -> str:
    return token[:-10]


def tampered(_town: Town, token: str) -> str:
    header, claims, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return ".".join((header, part(content | {"roles": ["admin", "operator"]}), signature))


def unsigned(_town: Town, token: str) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims_of(token)}."


def signed_with_the_public_key(town: Town, token: str) -> str:
    """Sign with what everybody knows, as if it were a shared secret (CVE-2015-9235)."""
    (key,) = town.issuer.jwks()["keys"]
    head = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': key['kid']})}.{claims_of(token)}"
    return f"{head}.{part(hmac.digest(json.dumps(key).encode(), head.encode(), hashlib.sha256))}"


def expired(town: Town, _token: str) -> str:
    long_ago = clock.now() - timedelta(days=1)
    return town.issuer.issue(
        person_id=uuid4(), programme_id=town.programme_id, roles=[Role.OPERATOR], now=long_ago
    )  # fmt: skip


BAD_TOKENS: list[Callable[[Town, str], str]] = [
    garbage, truncated, tampered, unsigned, signed_with_the_public_key, expired,
]  # fmt: skip


class TestTokens:
    @pytest.mark.parametrize("service", ["activities", "ledger"])
    @pytest.mark.parametrize("make", BAD_TOKENS)
    def test_a_bad_token_opens_nothing(
        self, here: Town, cast: Cast, service: str, make: Callable[[Town, str], str]
    ) -> None:
        """Each is nobody to us: 401 with one code, at each service."""
        self._require_nobody(here, service, make(here, cast.operator.token))

    @pytest.mark.parametrize("service", ["activities", "ledger"])
    def test_a_token_of_another_issuer_opens_nothing(self, here: Town, service: str, tmp_path: Path) -> None:
        """Its key is not ours, whatever it claims; nor is a token made for others, by our own key."""
        stranger = EmbeddedIssuer(tmp_path, Settings())
        self._require_nobody(here, service, self._issued(stranger, here))
        copycat = copy(here.issuer)
        copycat.settings = Settings(audience="another")
        self._require_nobody(here, service, self._issued(copycat, here))
        copycat.settings = Settings(issuer="another")
        self._require_nobody(here, service, self._issued(copycat, here))

    def test_the_phone_asks_to_sign_in_again(self, here: Town, cast: Cast, shift: Shift) -> None:
        """A page never shows a bare error for a session that is not of its making."""
        with phones.phone(here.pages_url) as phone:
            phone.cookies.set("popcandy_session", f"1.{tampered(here, cast.volunteer.token)}")
            page = phone.get(f"/c/{shift.id}")

        assert page.url.path == "/oidc/authorize"
        assert 'name="person"' in page.text

    @staticmethod
    def _issued(issuer: EmbeddedIssuer, here: Town) -> str:
        return issuer.issue(
            person_id=uuid4(), programme_id=here.programme_id, roles=[Role.OPERATOR, Role.OPS], now=clock.now()
        )

    @staticmethod
    def _require_nobody(here: Town, service: str, token: str) -> None:
        url = f"{here.apis[service].url}/api/{service}/flow"
        answer = httpx2.get(url, headers={"authorization": f"Bearer {token}"}, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
        assert token not in answer.text
