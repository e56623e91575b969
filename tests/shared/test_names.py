"""Names of people across services: many at a time, kept for a minute, and never made up."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shared import clock
from shared.auth.service_tokens import NoServiceToken, ServiceTokens
from shared.names import KEEP, MOST_IDS, Names, NamesUnavailable

NOW = clock.now()
HERE, THERE = uuid4(), uuid4()


class Tokens:
    """Stands in for a service's tokens: numbered, and refused when a test says so."""

    def __init__(self) -> None:
        self.number, self.is_away = 1, False

    def headers(self, programme_id: UUID, **_now: object) -> dict[str, str]:
        if self.is_away:
            raise NoServiceToken("the token issuer does not answer (ConnectError)")
        return {"authorization": f"Bearer token-{self.number}", "Popcandy-Programme": str(programme_id)}

    def drop(self, _token: str) -> None:
        self.number += 1


class Activities:
    """Knows people by programme, and counts what it is asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.people: dict[tuple[UUID, UUID], str] = {}
        self.asked: list[list[str]] = []
        self.refuses: set[str] = set()
        self.answer: str | None = None
        server.expect_request("/api/activities/volunteers/names", method="POST").respond_with_handler(self._tell)

    def _tell(self, request: Request) -> Response:
        ids = request.get_json()["ids"]
        self.asked.append(ids)
        if request.headers["authorization"] in self.refuses:
            return Response("{}", 401)
        programme_id = UUID(request.headers["Popcandy-Programme"])
        names = {
            each: self.people[programme_id, UUID(each)] for each in ids if (programme_id, UUID(each)) in self.people
        }
        return Response(self.answer or json.dumps({"names": names}), content_type="application/json")


@pytest.fixture
def activities(httpserver: HTTPServer) -> Activities:
    return Activities(httpserver)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def names(httpserver: HTTPServer, activities: Activities, tokens: Tokens) -> Iterator[Names]:
    del activities
    names = Names(httpserver.url_for(""), cast("ServiceTokens", tokens))
    yield names
    names.close()


def test_whom_nobody_knows_has_no_name(names: Names, activities: Activities) -> None:
    """Nor who is known in another programme only."""
    known, elsewhere, unknown = uuid4(), uuid4(), uuid4()
    activities.people = {(HERE, known): "合成甲", (THERE, elsewhere): "合成乙"}

    assert names.look_up(HERE, [known, elsewhere, unknown], now=NOW) == {known: "合成甲"}
    assert names.look_up(THERE, [known, elsewhere], now=NOW) == {elsewhere: "合成乙"}


def test_many_are_asked_for_at_a_time(names: Names, activities: Activities) -> None:
    """Each once, however often it is wanted; nobody at all is no question."""
    ids = [uuid4() for _ in range(MOST_IDS + 1)]
    activities.people = {(HERE, each): "合成甲" for each in ids}

    assert names.look_up(HERE, [], now=NOW) == {}
    assert len(names.look_up(HERE, [*ids, *ids], now=NOW)) == len(ids)
    assert [len(asked) for asked in activities.asked] == [MOST_IDS, 1]


def test_names_are_kept_for_a_minute(names: Names, activities: Activities) -> None:
    """A list that is opened twice asks once; a person who is erased is gone soon."""
    person, unknown = uuid4(), uuid4()
    activities.people = {(HERE, person): "合成甲"}
    names.look_up(HERE, [person, unknown], now=NOW)
    activities.people = {(HERE, person): "—"}

    assert names.look_up(HERE, [unknown, person], now=NOW + KEEP - timedelta(seconds=1)) == {person: "合成甲"}
    assert len(activities.asked) == 1
    assert names.look_up(HERE, [person], now=NOW + KEEP) == {person: "—"}


def test_a_token_that_is_refused_is_replaced(names: Names, activities: Activities, tokens: Tokens) -> None:
    """Once: the issuer's keys may have changed. A second refusal is said."""
    person = uuid4()
    activities.people = {(HERE, person): "合成甲"}
    activities.refuses = {"Bearer token-1"}
    assert names.look_up(HERE, [person], now=NOW) == {person: "合成甲"}

    activities.refuses = {f"Bearer token-{number}" for number in range(10)}
    with pytest.raises(NamesUnavailable):
        names.look_up(HERE, [uuid4()], now=NOW)
    assert (len(activities.asked), tokens.number) == (4, 4)


def test_no_token_no_names(names: Names, tokens: Tokens) -> None:
    """With what is wrong, for the log."""
    tokens.is_away = True

    with pytest.raises(NamesUnavailable, match="token issuer does not answer"):
        names.look_up(HERE, [uuid4()], now=NOW)


@pytest.mark.parametrize("answer", ["sorry", "[]", "{}", '{"names": []}', '{"names": {"x": "y"}}'])
def test_an_answer_that_is_none_is_said(names: Names, activities: Activities, answer: str) -> None:
    """And nothing of it is kept."""
    person = uuid4()
    activities.answer = answer
    with pytest.raises(NamesUnavailable):
        names.look_up(HERE, [person], now=NOW)

    activities.answer, activities.people = None, {(HERE, person): "合成甲"}
    assert names.look_up(HERE, [person], now=NOW) == {person: "合成甲"}


def test_nobody_there_is_said(tokens: Tokens) -> None:
    """A page then shows no names rather than nothing."""
    names = Names("http://127.0.0.1:1", cast("ServiceTokens", tokens))

    with pytest.raises(NamesUnavailable, match="ConnectError"):
        names.look_up(HERE, [uuid4()], now=NOW)
    names.close()
