"""Whatever callers send, the APIs answer as their documents say: schemathesis, with and without a token."""

from typing import Any

import pytest

from launch.services import SERVICES
from tests.contracts.fuzzing import Found, fuzz
from tests.contracts.town import Town

SAMPLE, ALL = 2, 500
LEAST_STRANGE = 50
ADDRESSED = r"\{"
NAMES = [service.name for service in SERVICES]
CHECKS = {
    "allow_header_conformance",
    "content_type_conformance",
    "ignored_auth",
    "negative_data_rejection",
    "not_a_server_error",
    "positive_data_acceptance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
}

pytestmark = pytest.mark.timeout(3600)


def require_sound(found: Found, record: Any) -> None:
    """Fail for what was found, or for a run that looked at nothing."""
    record("measured", f"{found.cases} cases, statuses {dict(sorted(found.statuses.items()))}")
    assert found.errors == []
    failures = [f"{' '.join(key)}: {said}" for key, said in found.failures.items()]
    assert not failures, "\n".join(failures)
    assert found.checks >= CHECKS
    assert found.phases.keys() >= {"examples", "coverage", "fuzzing", "stateful_testing"}


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_sent_is_answered_as_documented(town: Town, name: str, record_property: Any) -> None:
    """No 5xx, no status, media type or shape that is not in the document; bad input is refused, good input is not.

    Of what is asked by an id, which is nobody's; what is asked without one is asked below, and all of it at night.
    """
    found = fuzz(town.apps[name], name, examples=SAMPLE, headers=town.headers(), known={}, paths=ADDRESSED)

    require_sound(found, record_property)
    assert found.statuses[404] > 50


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_is_shown_as_documented(town: Town, name: str, record_property: Any) -> None:
    """The same where ids lead to something: answers have bodies, and rules say no."""
    found = fuzz(town.apps[name], name, examples=SAMPLE, headers=town.headers(), known=town.known[name])

    require_sound(found, record_property)
    assert found.statuses[200] > 50


def require_strange(found: Found, name: str, record: Any) -> None:
    """Fail for anything that a stranger was told, but to sign in."""
    record("measured", f"{found.cases} cases, statuses {dict(sorted(found.statuses.items()))}")
    assert found.errors == []
    assert found.failures.keys() == set()
    open_too = {200, 422, 429} if name == "activities" else set()  # What anybody may ask, so often a minute.
    assert found.statuses.keys() <= {401, 404, 405} | open_too
    assert found.statuses[401] > LEAST_STRANGE


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_gets_nothing(town: Town, name: str, record_property: Any) -> None:
    """Without a token there is one answer: sign in first. Only what is no operation at all is told so.

    By day with the data that fuzzing makes; each operation is asked without a token by the matrix of permissions too.
    """
    known, by_day = town.known[name], ("examples", "fuzzing")
    require_strange(
        fuzz(town.apps[name], name, examples=SAMPLE, headers={}, known=known, phases=by_day), name, record_property
    )


@pytest.mark.nightly
@pytest.mark.parametrize("known", [False, True], ids=["any id", "ids that are there"])
@pytest.mark.parametrize("name", NAMES)
def test_all_night(town: Town, name: str, record_property: Any, *, known: bool) -> None:
    """The same with many more examples, and in sequences of calls."""
    parameters = town.known[name] if known else {}

    require_sound(fuzz(town.apps[name], name, examples=ALL, headers=town.headers(), known=parameters), record_property)


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_gets_nothing_all_night(town: Town, name: str, record_property: Any) -> None:
    """In every phase."""
    known = town.known[name]
    require_strange(fuzz(town.apps[name], name, examples=SAMPLE, headers={}, known=known), name, record_property)
