"""The issuer's keys: read when needed, changed while we run, never asked for without end."""

import json
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer

from shared import clock
from shared.auth.callers import NotAuthenticated
from shared.auth.keys import FORGET_SECONDS, KeyStore, KeysUnreachable, key_store
from shared.auth.tokens import TokenVerifier
from tests.shared.auth.signing import AUDIENCE, ISSUER, PERSON, Key, jwks_of, make_key, make_token
from tests.waiting import until

OLD, NEW = make_key("old"), make_key("new")


class Issuer:
    """Publishes keys and counts how often it was asked."""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys
        self.asked = 0
        self.waits_for: threading.Event | None = None

    def read(self) -> dict[str, Any]:
        self.asked += 1
        if self.waits_for is not None:
            assert self.waits_for.wait(10)
        return jwks_of(*self.keys)


def accepts(store: KeyStore, key: Key) -> bool:
    """Do as the door does: read the keys if the token names one that is unknown, then verify."""
    verifier = TokenVerifier(store, issuer=ISSUER, audience=AUDIENCE)
    token = make_token(key)
    store.keep_fresh()
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


def test_a_withdrawn_key_is_forgotten_in_time() -> None:
    """Though no token names a new one: keys are read again while requests come, and no request waits for it."""
    issuer = Issuer(OLD, NEW)
    store = KeyStore(issuer.read, least_seconds=0, forget_seconds=0)
    assert accepts(store, OLD)
    issuer.keys = (NEW,)

    until(lambda: not accepts(store, OLD), timeout=10, missing="the end of the old key")
    assert accepts(store, NEW)


def test_keys_that_are_fresh_are_left_alone() -> None:
    """The issuer is asked every ten minutes, not with every request."""
    issuer = Issuer(OLD)
    store = KeyStore(issuer.read, least_seconds=0)
    for _ in range(50):
        assert accepts(store, OLD)
        store.keep_fresh()

    assert issuer.asked == 1
    assert FORGET_SECONDS == 600


def test_one_thread_reads_behind_all_requests() -> None:
    """However many find at once that the keys are old."""
    issuer, goes_on = Issuer(OLD), threading.Event()
    store = KeyStore(issuer.read, least_seconds=0, forget_seconds=0)
    store.refresh()
    issuer.waits_for = goes_on
    for _ in range(20):
        store.keep_fresh()
    until(lambda: issuer.asked == 2, timeout=10, missing="a second reading")
    goes_on.set()

    until(lambda: not [each for each in threading.enumerate() if each.name == "keys"], timeout=10, missing="its end")
    assert issuer.asked == 2


def test_all_keys_withdrawn_open_nothing() -> None:
    """An issuer that publishes none says so; that it is away would be something else."""
    issuer = Issuer(OLD)
    store = KeyStore(issuer.read, least_seconds=0)
    store.refresh()
    issuer.keys = ()

    with pytest.raises(KeysUnreachable):
        store.refresh()
    assert store.find("old") is None


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "AKP", "kid": "quantum", "alg": "ML-DSA-44", "pub": "x"},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
        {"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "!", "y": "!"},
        {"kid": "nothing"},
        "text",
        None,
        [],
    ],
    ids=str,
)
def test_keys_that_we_cannot_use_hide_no_others(odd: Any) -> None:
    """A provider publishes what other systems need too (RFC 7517 section 5)."""
    store = KeyStore(lambda: {"keys": [odd, *jwks_of(OLD)["keys"], odd]}, least_seconds=0)

    assert accepts(store, OLD)
    assert all(store.find(name) is None for name in ("quantum", "shared", "ed", "broken", "nothing"))


def test_a_key_for_encryption_signs_nothing() -> None:
    """Nor one without a name."""
    encrypting = make_key("enc").as_dict(private=False, use="enc")
    nameless = {name: value for name, value in make_key("x").as_dict(private=False).items() if name != "kid"}
    store = KeyStore(lambda: {"keys": [encrypting, nameless, *jwks_of(OLD)["keys"]]})
    store.refresh()

    assert store.find("old") is not None
    assert store.find("enc") is None


def test_private_parts_are_not_kept() -> None:
    """Should an issuer publish them by mistake."""
    store = KeyStore(lambda: {"keys": [OLD.as_dict(private=True)]})
    store.refresh()
    found = store.find("old")

    assert found is not None
    assert not found.is_private


def test_an_issuer_does_not_send_us_elsewhere(httpserver: HTTPServer) -> None:
    """A redirect of its keys is followed nowhere."""
    httpserver.expect_request("/jwks").respond_with_data("", status=302, headers={"location": "/other"})
    httpserver.expect_request("/other").respond_with_json(jwks_of(OLD))

    with pytest.raises(KeysUnreachable):
        key_store(httpserver.url_for("/jwks")).refresh()
