import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx2
import pytest
from pydantic import TypeAdapter
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from services.console.main import connect
from services.console.phone import actions
from services.console.phone.queries import get_shift
from services.console.shell import queries, rules
from services.console.shell.queries import Api
from shared import telemetry
from tests.console.doubles import ActivitiesApi
from tests.console.figures import SHIFT_ID

SHIFT = UUID(SHIFT_ID)
ONCE = "6f0c2a4e-1b7d-4c57-9a53-2f1f0f4f7a11"


@contextmanager
def asking(url: str, *, read_seconds: float = 10) -> Iterator[Api]:
    with connect(url) as client:
        client.timeout = httpx2.Timeout(read_seconds)
        yield Api(client, "a-token", "en")


def test_an_api_is_asked_in_the_readers_name_language_and_trace(activities: ActivitiesApi) -> None:
    """One trace joins the tap on the phone to the donation."""
    with telemetry.trace(None) as trace_id, asking(activities.url) as api:
        shift = get_shift(api, SHIFT)

    headers = activities.seen[0].headers
    assert shift.listing_reference == "2022-LIB-07"
    assert (headers["authorization"], headers["accept-language"]) == ("Bearer a-token", "en")
    assert trace_id in headers["traceparent"]


def test_a_code_is_handed_over_as_it_was_typed_but_for_its_form(activities: ActivitiesApi) -> None:
    """Activities alone judges it, and counts the attempts."""
    with asking(activities.url) as api:
        actions.check_in(api, shift_id=SHIFT, code=" 12 34 5x ", once=ONCE)
        actions.check_out(api, shift_id=SHIFT, code="123-456", once=ONCE)

    assert [(seen.path.rpartition("/")[2], seen.get_json()) for seen in activities.seen] == [
        ("check-ins", {"code": "12345x"}),
        ("check-outs", {"code": "123456"}),
    ]


def test_an_apis_cookies_never_reach_the_next_person(httpserver: HTTPServer) -> None:
    """One client serves everybody."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response("{}", headers={"set-cookie": "session=first-person"})

    httpserver.expect_request("/").respond_with_handler(answer)
    with asking(httpserver.url_for("")) as api:
        queries.ask(api, "GET", "/")
        queries.ask(api, "GET", "/")

    assert [dict(request.cookies) for request in seen] == [{}, {}]


@pytest.mark.parametrize(
    "broken",
    [
        Response("<h1>Bad gateway</h1>", 502),
        Response('{"code": "internal_error", "title": "", "status": 500}', 500, content_type=queries.PROBLEM),
        Response("not what was promised", 200),
        Response('{"id": "not-a-uuid"}', 200),
        Response("no problem document", 404),
        Response("{}", 404, content_type=queries.PROBLEM),
        Response("", 302, headers={"location": "https://elsewhere.example"}),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_api_that_is_down(activities: ActivitiesApi, broken: Response) -> None:
    """A half-understood answer must never look like a check-in."""
    activities.broken = broken
    with asking(activities.url) as api, pytest.raises(rules.ApiDown):
        get_shift(api, SHIFT)


def test_nobody_listening_is_an_api_that_is_down(httpserver: HTTPServer) -> None:
    """The port may be gone while an API restarts."""
    assert httpserver.is_running()
    with asking("http://127.0.0.1:9") as api, pytest.raises(rules.ApiDown) as refused:
        get_shift(api, SHIFT)

    assert refused.type is rules.ApiDown


def test_an_answer_that_comes_too_late_is_an_api_that_is_slow(httpserver: HTTPServer) -> None:
    """Whether it did what was asked is unknown, and the page says so."""
    release = threading.Event()

    def answer(_request: Request) -> Response:
        release.wait(10)
        return Response("{}")

    httpserver.expect_request("/").respond_with_handler(answer)
    with asking(httpserver.url_for(""), read_seconds=0.1) as api, pytest.raises(rules.ApiSlow):
        queries.ask(api, "GET", "/")
    release.set()


def test_a_token_that_an_api_does_not_know_asks_for_another(activities: ActivitiesApi) -> None:
    """The console itself verifies nothing."""
    activities.refuse("shift", "not_authenticated", status=401)
    with asking(activities.url) as api, pytest.raises(rules.SignInNeeded):
        get_shift(api, SHIFT)


def test_a_refusal_keeps_the_apis_words_and_facts(activities: ActivitiesApi) -> None:
    """They were written in the reader's language by those who know."""
    activities.refuse("check-ins", "too_many_attempts", status=429, title="Wait a while", retry_after=90)
    with asking(activities.url) as api, pytest.raises(rules.Refused) as refused:
        actions.check_in(api, shift_id=SHIFT, code="123456", once=ONCE)

    problem = refused.value.problem
    assert (problem.code, problem.title, problem.status) == ("too_many_attempts", "Wait a while", 429)
    assert problem.facts == {"retry_after": 90}


def in_flight() -> Response:
    document = {"code": "request_in_flight", "title": "", "status": 409, "facts": {"retry_after": 1}}
    return Response(json.dumps(document), 409, content_type=queries.PROBLEM)


class TestPost:
    @pytest.mark.parametrize(("busy", "waits"), [(0, ()), (1, (0.01,)), (3, (0.01, 0.01, 0.01))])
    def test_waits_for_the_first_tap_and_answers_like_it(
        self, httpserver: HTTPServer, busy: int, waits: tuple[float, ...]
    ) -> None:
        """An impatient thumb is told what its first tap came to, and not that there was one."""
        answers = [*(in_flight() for _ in range(busy)), Response('"done"')]
        keys: list[str | None] = []

        def answer(request: Request) -> Response:
            keys.append(request.headers.get("idempotency-key"))
            return answers[len(keys) - 1]

        httpserver.expect_request("/", method="POST").respond_with_handler(answer)
        with asking(httpserver.url_for("")) as api:
            done = queries.post(api, "/", {"code": "123456"}, once=ONCE, waits=waits)

        assert done == b'"done"'
        assert keys == [rules.key_of(ONCE, path="/", body={"code": "123456"})] * (busy + 1)

    def test_waits_no_longer_than_a_person(self, httpserver: HTTPServer) -> None:
        """Then it says what the API says."""
        httpserver.expect_request("/").respond_with_handler(lambda _request: in_flight())
        with asking(httpserver.url_for("")) as api, pytest.raises(rules.Refused) as refused:
            queries.post(api, "/", once=ONCE, waits=(0.01, 0.01))

        assert refused.value.problem.code == queries.IN_FLIGHT
        assert len(httpserver.log) == 3

    def test_is_told_any_other_refusal_at_once(self, activities: ActivitiesApi) -> None:
        """A wrong code stays wrong."""
        activities.refuse("check-ins", "wrong_code", status=422)
        with asking(activities.url) as api, pytest.raises(rules.Refused):
            actions.check_in(api, shift_id=SHIFT, code="123456", once=ONCE)

        assert len(activities.seen) == 1


_ROWS = TypeAdapter(list[int])
_NUMBERS = TypeAdapter(list[dict[str, int]])


class TestListItems:
    @pytest.mark.parametrize(("most", "asked", "more"), [(2, 1, True), (3, 2, True), (5, 3, False), (9, 3, False)])
    def test_reads_on_until_it_has_enough(self, httpserver: HTTPServer, most: int, asked: int, more: bool) -> None:  # noqa: FBT001  A case's expectation.
        """A first page is short; whoever wants more is told that there is more."""
        seen: list[dict[str, str]] = []

        def answer(request: Request) -> Response:
            seen.append(request.args.to_dict())
            first = int(request.args.get(queries.CURSOR, "0"))
            following = str(first + 2) if first < 4 else None
            items = [{"n": number} for number in range(first, min(first + 2, 5))]
            return Response(json.dumps({"items": items, "next": following, "total": 5}))

        httpserver.expect_request("/list").respond_with_handler(answer)
        with asking(httpserver.url_for("")) as api:
            found, is_more = queries.list_items(api, "/list", _NUMBERS, most=most, kind="x")

        assert [each["n"] for each in found] == list(range(min(most, 5)))
        assert (is_more, len(seen)) == (more, asked)
        assert {each["kind"] for each in seen} == {"x"}

    @pytest.mark.parametrize("body", ["[]", "{}", '{"items": 1}', '{"items": [{"n": 1}]}'])
    def test_understands_nothing_by_halves(self, httpserver: HTTPServer, body: str) -> None:
        """A list of something else is an API that is down."""
        httpserver.expect_request("/list").respond_with_data(body)
        with asking(httpserver.url_for("")) as api, pytest.raises(rules.ApiDown):
            queries.list_items(api, "/list", _ROWS, most=5)
