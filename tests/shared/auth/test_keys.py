"""The issuer's keys: read when needed, changed while we run, never asked for without end."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer

from shared import clock
from shared.auth.callers import NotAuthenticated
from shared.auth.keys import KeyStore, KeysUnreachable, key_store
from shared.auth.tokens import TokenVerifier
from tests.shared.auth.signing import AUDIENCE, ISSUER, PERSON, Key, jwks_of, make_key, make_token

OLD, NEW = make_key("old"), make_key("new")


class Issuer:
    """Publishes keys and counts how often it was asked."""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys
        self.asked = 0

    def read(self) -> dict[str, Any]:
        self.asked += 1
        return jwks_of(*self.keys)


def accepts(store: KeyStore, key: Key) -> bool:
    """Do as the door does: read the keys if the token names one that is unknown, then verify."""
    verifier = TokenVerifier(store, issuer=ISSUER, audience=AUDIENCE)
    token = make_token(key)
    if verifier.needs_keys(token):
        store.refresh()
    try:
        return verifier.verify(token, now=clock.now()).person_id == PERSON
    except NotAuthenticated:
        return False


def test_keys_are_read_once_for_many_tokens() -> None:
    """The issuer is not part of every request."""
    issuer = Issuer(OLD)
    store = KeyStore(issuer.read)

    assert all(accepts(store, OLD) for _ in range(20))
    assert issuer.asked == 1


def test_unknown_keys_do_not_make_us_hammer_the_issuer() -> None:
    """Anybody can invent key ids; one look in ten seconds is enough."""
    issuer = Issuer(OLD)
    store = KeyStore(issuer.read)

    assert not any(accepts(store, make_key(f"invented-{number}")) for number in range(20))
    assert issuer.asked == 1
    assert accepts(store, OLD)


def test_a_new_key_is_found(tmp_path: Path) -> None:
    """Issuers change their keys; nobody restarts anything, and what was signed before stays good."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks_of(OLD)))
    store = key_store(str(file), least_seconds=0)
    assert accepts(store, OLD)
    assert not accepts(store, NEW)

    file.write_text(json.dumps(jwks_of(OLD, NEW)))
    assert accepts(store, NEW)
    assert accepts(store, OLD)


def test_a_key_that_was_withdrawn_opens_nothing(tmp_path: Path) -> None:
    """From the next reading on."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks_of(OLD)))
    store = key_store(str(file), least_seconds=0)
    assert accepts(store, OLD)

    file.write_text(json.dumps(jwks_of(NEW)))
    assert accepts(store, NEW)
    assert not accepts(store, OLD)


def test_keys_are_read_over_http(httpserver: HTTPServer) -> None:
    """As identity providers publish them, changed while we run."""
    httpserver.expect_ordered_request("/jwks").respond_with_json(jwks_of(OLD))
    httpserver.expect_ordered_request("/jwks").respond_with_json(jwks_of(OLD, NEW))
    store = key_store(httpserver.url_for("/jwks"), least_seconds=0)

    assert accepts(store, OLD)
    assert accepts(store, NEW)
    httpserver.check()


def test_while_the_issuer_is_down_known_keys_serve(httpserver: HTTPServer) -> None:
    """Its maintenance is not ours."""
    httpserver.expect_ordered_request("/jwks").respond_with_json(jwks_of(OLD))
    httpserver.expect_ordered_request("/jwks").respond_with_data("sorry", status=503)
    store = key_store(httpserver.url_for("/jwks"), least_seconds=0)

    assert accepts(store, OLD)
    assert not accepts(store, NEW)
    assert accepts(store, OLD)


@pytest.mark.parametrize(
    "content", ["", "sorry", "[]", "{}", '{"keys": 5}', '{"keys": [{"kty": "??"}]}', '{"keys": []}']
)
def test_without_any_keys_it_says_so(tmp_path: Path, content: str) -> None:
    """That is our trouble, not the caller's: nobody is told to sign in again."""
    file = tmp_path / "jwks.json"
    file.write_text(content)

    for location in (str(file), str(tmp_path / "missing.json"), "http://127.0.0.1:1/jwks"):
        with pytest.raises(KeysUnreachable):
            key_store(location).refresh()


def test_an_issuer_that_does_not_answer_is_not_asked_again_at_once() -> None:
    """Each asking holds a thread until its time is up."""
    asked = []

    def read() -> dict[str, Any]:
        asked.append(1)
        raise httpx2.ConnectTimeout("no answer")

    store = KeyStore(read)
    for _ in range(5):
        with pytest.raises(KeysUnreachable):
            store.refresh()

    assert len(asked) == 1
