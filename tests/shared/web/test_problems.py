"""Problem documents: what went wrong, for people and for programs."""

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.testclient import TestClient

from shared.web.problems import language_of
from tests.shared.web.conftest import problem_of
from tests.shared.web.inside import PRIVATE

EN = {"accept-language": "en"}


@pytest.mark.parametrize(
    ("kind", "status", "code", "zh", "en"),
    [
        ("not-authenticated", 401, "not_authenticated", "请先登录", "Sign in first"),
        ("not-allowed", 403, "not_allowed", "没有权限", "Not allowed"),
        ("not-found", 404, "not_found", "没有找到", "Not found"),
        ("closed", 409, "closed", "已结束", "It is closed"),
        ("invalid", 422, "invalid", "填写内容有误", "Invalid input"),
        ("too-many", 429, "too_many", "操作过于频繁", "Too many attempts"),
    ],
)
def test_a_refusal_has_a_status_a_code_and_a_title(
    client: TestClient, kind: str, status: int, code: str, zh: str, en: str
) -> None:
    """Programs read the code, people the title in their language."""
    chinese, english = client.get(f"refusals/{kind}"), client.get(f"refusals/{kind}", headers=EN)

    assert chinese.status_code == english.status_code == status
    assert problem_of(chinese)["code"] == problem_of(english)["code"] == code
    assert (problem_of(chinese)["title"], problem_of(english)["title"]) == (zh, en)


def test_a_refusal_carries_the_facts_of_its_case(client: TestClient) -> None:
    """As values, for whoever builds a page from them."""
    assert problem_of(client.get("refusals/closed"))["facts"] == {"minutes": 5, "shift": "7"}
    assert "facts" not in problem_of(client.get("refusals/not-found"))


def test_who_is_not_signed_in_is_told_how(client: TestClient) -> None:
    """RFC 9110 section 11.6.1."""
    assert client.get("refusals/not-authenticated").headers["www-authenticate"] == "Bearer"
    assert "www-authenticate" not in client.get("refusals/not-allowed").headers


def test_who_has_to_wait_is_told_how_long(client: TestClient) -> None:
    """In whole seconds (RFC 9110 section 10.2.3)."""
    answer = client.get("refusals/too-many", params={"retry_after": 30})

    assert answer.headers["retry-after"] == "30"
    assert problem_of(answer)["facts"] == {"retry_after": 30}


def test_wrong_input_is_named_field_by_field(client: TestClient) -> None:
    """A form shows each message beside its field."""
    answer = client.post("notes", json={"id": 0, "tags": [1, "two"]})
    document = problem_of(answer)

    assert (answer.status_code, document["code"]) == (422, "invalid_input")
    assert {(error["field"], error["code"]) for error in document["errors"]} == {
        ("id", "greater_than_equal"),
        ("body", "missing"),
        ("tags.1", "int_parsing"),
    }
    assert all(error["message"] for error in document["errors"])


@pytest.mark.parametrize(
    ("path", "field"), [("answers/first", "note_id"), ("refusals/closed?retry_after=soon", "retry_after")]
)
def test_wrong_parts_of_an_address_are_named_too(client: TestClient, path: str, field: str) -> None:
    """Path and query are input as well."""
    answer = client.get(path) if "refusals" in path else client.post(path)

    assert [error["field"] for error in problem_of(answer)["errors"]] == [field]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b'"note"'])
def test_a_body_that_is_no_object_is_no_fault_of_ours(client: TestClient, body: bytes) -> None:
    """Whatever is sent."""
    answer = client.post("notes", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in {400, 422}
    problem_of(answer)


def test_what_was_sent_is_not_sent_back(client: TestClient) -> None:
    """A validation error must not carry a phone number into a log of the caller's."""
    assert "13812345678" not in client.post("notes", json={"id": "x", "body": "13812345678" * 3}).text


@pytest.mark.parametrize(
    "path", ["nowhere", "http://testserver/", "http://testserver/api/other/notes", "notes/5/pages"]
)
def test_an_address_that_leads_nowhere_is_a_problem_too(client: TestClient, path: str) -> None:
    """Nobody gets another kind of answer for a typo."""
    answer = client.get(path, headers=EN)

    assert answer.status_code == 404
    assert (problem_of(answer)["code"], problem_of(answer)["title"]) == ("not_found", "Not found")


def test_a_method_that_is_not_offered_is_a_problem_too(client: TestClient) -> None:
    """And names those that are."""
    answer = client.delete("notes")

    assert (answer.status_code, problem_of(answer)["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_fault_of_ours_tells_nothing_but_its_trace(client: TestClient) -> None:
    """The text of an exception is for the log (PITFALLS.md H2)."""
    with structlog.testing.capture_logs() as lines:
        answer = client.get("fault", headers=EN)
    document = problem_of(answer)

    assert (answer.status_code, document["code"]) == (500, "internal_error")
    assert PRIVATE not in answer.text
    assert "RuntimeError" not in answer.text
    assert set(document) == {"type", "title", "status", "code", "trace_id"}
    assert [(line["event"], line["path"]) for line in lines] == [("request.failed", "/api/kit/fault")]


def test_a_fault_is_logged_by_the_address_that_the_route_declares(client: TestClient) -> None:
    """What stands in an address may be a secret (decision 0060)."""
    with structlog.testing.capture_logs() as lines:
        assert client.get("faults/SESAME").status_code == 500

    assert [(line["event"], line["path"]) for line in lines] == [("request.failed", "/api/kit/faults/{secret}")]
    assert "SESAME" not in str(lines)


def request_with(header: str | None) -> Request:
    headers = [] if header is None else [(b"accept-language", header.encode("utf-8", "surrogatepass"))]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("*", "zh"),
        ("fr, de;q=0.8", "zh"),
        ("en", "en"),
        ("EN-us", "en"),
        ("zh-Hans-CN", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh;q=0.5, en;q=0.9", "en"),
        ("zh; q=0.5 , en ;q=0.9", "en"),
        ("en;q=0.5, zh", "zh"),
        ("en, zh", "en"),
        ("zh, en", "zh"),
        ("en;q=0", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("fr, en;q=0.1", "en"),
        ("english", "zh"),
        ("en;q=loud, zh;q=0.1", "zh"),
        ("en;q=nan", "zh"),
        ("en;q=9", "zh"),
        ("zh;q=0.5, en;Q=0.9", "en"),
    ],
)
def test_the_language_is_the_one_that_the_caller_likes_best(header: str | None, language: str) -> None:
    """By weight (RFC 9110 section 12.5.4), of equals the first; Chinese for everybody else."""
    assert language_of(request_with(header)) == language


@given(st.text())
def test_any_wish_for_a_language_is_answered(header: str) -> None:
    """It decides about a title, not about whether there is an answer."""
    assert language_of(request_with(header)) in {"zh", "en"}
