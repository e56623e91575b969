"""Bodies that no schema describes: too large, too deep, not text, not JSON, or not said to be either."""

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from shared.roles import Role
from tests.contracts.town import Town
from tests.documented import DocumentedClient

LISTINGS = "/api/activities/listings"
JSON = "application/json"
MIB = 1024 * 1024
DEEP = 100_000
NAME = b'"employee_number": "E-22", "display_name": '


@pytest.fixture
def client(town: Town) -> TestClient:
    """Call as a browser would: a fault is an answer, and each answer has to be documented."""
    return DocumentedClient(town.apps["activities"], raise_server_exceptions=False)


def send(
    client: TestClient,
    town: Town,
    body: bytes,
    *,
    path: str = LISTINGS,
    media_type: str | None = JSON,
    token: bool = True,
) -> tuple[int, str]:
    headers = town.headers() if token else {}
    if media_type is not None:
        headers["content-type"] = media_type
    answer: Any = client.post(path, content=body, headers=headers)
    return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else ""


class TestBody:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b'{"a": "' + b"x" * 10 * MIB + b'"}', (422, "invalid_input")),
            (b'{"a": [' + b"1," * 5 * MIB + b"1]}", (422, "invalid_input")),
            (b'{"a": "' + b"x" * 52 * MIB + b'"}', (413, "too_large")),
            (b"[" * DEEP, (400, "bad_request")),
            (b'{"a":' * DEEP + b"1" + b"}" * DEEP, (400, "bad_request")),
            (b'{"a": "\xff\xfe"}', (400, "bad_request")),
            (b"{", (422, "invalid_input")),
            (b"", (422, "invalid_input")),
            (b"null", (422, "invalid_input")),
            (b'"\\u0000"', (422, "invalid_input")),
            (b'{"capacity": 1' + b"0" * 5_000 + b"}", (400, "bad_request")),
            (b'{"capacity": 1e999}', (422, "invalid_input")),
            (b'{"capacity": NaN}', (422, "invalid_input")),
        ],
        ids=[
            "10 MB of text", "10 MB of numbers", "52 MB", "100,000 deep, open", "100,000 deep, closed", "not UTF-8",
            "cut short", "nothing", "null", "NUL", "5,000 digits", "beyond floats", "not a number",
        ],
    )  # fmt: skip
    def test_is_refused_and_breaks_nothing(
        self, client: TestClient, town: Town, body: bytes, said: tuple[int, str]
    ) -> None:
        """Whatever it is, the caller is told, and the next one is served."""
        assert send(client, town, body) == said
        assert client.get(LISTINGS, headers=town.headers()).status_code == 200

    @pytest.mark.parametrize("body", [b"[" * DEEP, b"{", b'{"a": "\xff"}', b"{}"])
    def test_of_a_stranger_is_not_judged(self, client: TestClient, town: Town, body: bytes) -> None:
        """Who has no token learns nothing but that."""
        assert send(client, town, body, token=False) == (401, "not_authenticated")

    def test_of_somebody_without_the_permission_is_not_judged(self, client: TestClient, town: Town) -> None:
        """The same, one step further."""
        volunteer = town.issuer.issue(
            person_id=uuid4(), programme_id=town.programme_id, roles=[Role.VOLUNTEER], now=town.now
        )
        answer = client.post(
            LISTINGS, content=b"{", headers={"authorization": f"Bearer {volunteer}", "content-type": JSON}
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission")


class TestText:
    @pytest.mark.parametrize(
        "text", [rb'"\ud800"', rb'"a\udc00b"', rb'"a\u0000b"', b'"' + b"x" * 81 + b'"', b'""', b"22", b"[]"]
    )
    def test_that_cannot_be_kept_is_named(self, client: TestClient, town: Town, text: bytes) -> None:
        """Lone surrogates are no text, and PostgreSQL keeps no NUL."""
        body = b"{" + NAME + text + b"}"

        assert send(client, town, body, path="/api/activities/volunteers") == (422, "invalid_input")

    @pytest.mark.parametrize("text", ["𠮷野家", "👩‍👩‍👧‍👦", "\u202egnp.exe", "עברית", "e\u0301"])
    def test_of_any_script_is_kept_as_it_is(self, client: TestClient, town: Town, text: str) -> None:
        """Rare characters, emoji and marks of direction are somebody's name."""
        body = {"employee_number": f"E-{uuid4().hex[:8]}", "display_name": text}

        answer = client.post("/api/activities/volunteers", json=body, headers=town.headers())

        assert (answer.status_code, answer.json()["display_name"]) == (201, text)

    def test_said_twice_counts_as_it_was_said_last(self, client: TestClient, town: Town) -> None:
        """RFC 8259 section 4 leaves it open; every parser that we know does so, and so do gateways before us."""
        body = b"{" + NAME + b'"first", "display_name": "last"}'

        answer = client.post(
            "/api/activities/volunteers", content=body.replace(b"E-22", uuid4().hex[:8].encode()),
            headers={**town.headers(), "content-type": JSON},
        )  # fmt: skip

        assert (answer.status_code, answer.json()["display_name"]) == (201, "last")


class TestMediaType:
    @pytest.mark.parametrize(
        "media_type", ["text/plain", "application/xml", "multipart/form-data", "", None, "json", "*/*"]
    )
    def test_that_is_not_read_is_refused(self, client: TestClient, town: Town, media_type: str | None) -> None:
        """RFC 9110 section 15.5.16; a page of another site cannot send JSON as a plain form either."""
        assert send(client, town, b"{}", media_type=media_type) == (415, "unsupported_media_type")

    @pytest.mark.parametrize("media_type", [JSON, "Application/JSON; charset=utf-8", "application/merge-patch+json"])
    def test_that_is_json_is_read(self, client: TestClient, town: Town, media_type: str) -> None:
        """What is then wrong is the body."""
        assert send(client, town, b"{}", media_type=media_type) == (422, "invalid_input")

    def test_of_a_sheet_is_a_form(self, client: TestClient, town: Town) -> None:
        """And the refusal says which media types the door reads."""
        headers = {**town.headers(), "content-type": JSON}

        answer = client.post("/api/activities/imports/volunteers", content=b"{}", headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert "multipart/form-data" in answer.headers["accept"]


class TestMethod:
    @pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "DELETE", "PATCH", "PUT", "HEAD", "BREW"])
    def test_that_is_not_known_is_told_which_are(self, client: TestClient, town: Town, method: str) -> None:
        """All of the address, not those of one route alone."""
        answer = client.request(method, LISTINGS, headers=town.headers())

        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")

    def test_that_is_another_routes_is_no_id(self, client: TestClient, town: Town) -> None:
        """`discards` is not the id of a letter."""
        answer = client.get("/api/activities/dead-letters/discards", headers=town.headers())

        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_field_that_there_is_not_is_named_within_bounds(client: TestClient, town: Town) -> None:
    """The caller's own words come back: not a NUL, nor more of them than anybody reads."""
    name = "\x00" + "x" * 5_000

    answer = client.get("/api/activities/dead-letters", params={name: "1"}, headers=town.headers())

    assert [error["field"] for error in answer.json()["errors"]] == ["\ufffd" + "x" * 199]
