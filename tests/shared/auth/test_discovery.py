"""Where an issuer's endpoints are, as it says itself."""

from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer

from shared.auth.discovery import KEEP_SECONDS, Discovery, InsecureIssuer, discovered_keys, is_secure
from shared.auth.keys import KeysUnreachable
from tests.shared.auth.signing import jwks_of, make_key

OLD, NEW = make_key("old"), make_key("new")
WELL_KNOWN = "/realm/.well-known/openid-configuration"


def issuer_of(server: HTTPServer) -> str:
    return server.url_for("/realm")


def document(server: HTTPServer, **overrides: Any) -> dict[str, Any]:
    own = {"issuer": issuer_of(server), "jwks_uri": server.url_for("/keys"), "token_endpoint": server.url_for("/token")}
    return {name: value for name, value in (own | overrides).items() if value is not ...}


def test_keys_are_found_from_the_issuers_name_alone(httpserver: HTTPServer) -> None:
    """An operator sets one URL."""
    httpserver.expect_oneshot_request(WELL_KNOWN).respond_with_json(document(httpserver))
    httpserver.expect_request("/keys").respond_with_json(jwks_of(OLD))
    discovery = Discovery(issuer_of(httpserver))
    store = discovered_keys(discovery, least_seconds=0)
    for _ in range(2):
        store.refresh()

    assert store.find("old") is not None
    assert discovery.endpoints().token_endpoint == httpserver.url_for("/token")
    httpserver.check()


def test_an_issuer_named_with_a_slash_is_asked_without(httpserver: HTTPServer) -> None:
    """OpenID Connect Discovery section 4: the slash goes, and stays in the name."""
    name = issuer_of(httpserver) + "/"
    httpserver.expect_request(WELL_KNOWN).respond_with_json(document(httpserver, issuer=name))

    assert Discovery(name).endpoints().jwks_uri == httpserver.url_for("/keys")


def test_keys_that_have_moved_are_found_again(httpserver: HTTPServer) -> None:
    """Without a restart: an endpoint that does not answer is asked for anew."""
    httpserver.expect_oneshot_request(WELL_KNOWN).respond_with_json(document(httpserver))
    httpserver.expect_oneshot_request("/keys").respond_with_json(jwks_of(OLD))
    store = discovered_keys(Discovery(issuer_of(httpserver)), least_seconds=0)
    store.refresh()
    httpserver.expect_request("/keys").respond_with_data("gone", status=404)
    store.refresh()
    assert store.find("old") is not None

    moved = document(httpserver, jwks_uri=httpserver.url_for("/moved"))
    httpserver.expect_request(WELL_KNOWN).respond_with_json(moved)
    httpserver.expect_request("/moved").respond_with_json(jwks_of(NEW))
    store.refresh()
    assert store.find("new") is not None


@pytest.mark.parametrize(
    "overrides",
    [
        {"issuer": "https://elsewhere.test"},
        {"issuer": ...},
        {"jwks_uri": ...},
        {"jwks_uri": "http://elsewhere.test/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": "http://elsewhere.test/token"},
    ],
    ids=str,
)
def test_a_document_that_is_not_the_issuers_is_not_believed(httpserver: HTTPServer, overrides: dict[str, Any]) -> None:
    """Section 4.3; and nobody on the way may hand out keys."""
    httpserver.expect_request(WELL_KNOWN).respond_with_json(document(httpserver, **overrides))
    httpserver.expect_request("/keys").respond_with_json(jwks_of(OLD))
    discovery = Discovery(issuer_of(httpserver))

    with pytest.raises((ValueError, KeyError)):
        discovery.endpoints()
    with pytest.raises(KeysUnreachable):
        discovered_keys(discovery).refresh()


@pytest.mark.parametrize("content", ["", "sorry", "[]", "5", "null"])
def test_an_issuer_that_answers_nonsense_is_our_trouble(httpserver: HTTPServer, content: str) -> None:
    """Not the caller's: no token is called bad over it."""
    httpserver.expect_request(WELL_KNOWN).respond_with_data(content, content_type="application/json")

    with pytest.raises(KeysUnreachable):
        discovered_keys(Discovery(issuer_of(httpserver))).refresh()


def test_an_issuer_that_is_away_is_our_trouble() -> None:
    """As above."""
    discovery = Discovery("http://127.0.0.1:1/realm")

    with pytest.raises(httpx2.ConnectError):
        discovery.endpoints()
    with pytest.raises(KeysUnreachable):
        discovered_keys(discovery).refresh()


@pytest.mark.parametrize("issuer", ["http://identity.test/", "http://127.0.0.1.evil.test/", "ftp://127.0.0.1/", "x"])
def test_an_issuer_elsewhere_is_asked_by_https(issuer: str) -> None:
    """Plain HTTP is for this machine."""
    with pytest.raises(InsecureIssuer, match="https"):
        Discovery(issuer)

    assert Discovery("https://identity.test/").issuer == "https://identity.test/"


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://id.example/token", True),
        ("http://id.example/token", False),
        ("http://127.0.0.1:8022/oidc/token", True),
        ("http://[::1]/token", True),
        ("javascript:alert(1)", False),
        ("//id.example/token", False),
        ("https:///token", False),
        ("https://[", False),
        ("", False),
        (None, False),
        (["https://id.example"], False),
    ],
)
def test_an_endpoint_is_reached_safely_or_not_at_all(url: object, secure: bool) -> None:  # noqa: FBT001  A case.
    """A code and a secret are sent there."""
    assert is_secure(url) is secure


def test_where_browsers_are_sent_is_secure_or_unknown(httpserver: HTTPServer) -> None:
    """Services verify tokens all the same; what an issuer lacks, a page does without."""
    safe = "https://id.example/authorize"
    said = {"authorization_endpoint": safe, "end_session_endpoint": "http://id.example/end", "revocation_endpoint": 5}
    httpserver.expect_request(WELL_KNOWN).respond_with_json(document(httpserver, **said))

    found = Discovery(issuer_of(httpserver)).document()

    assert {name: found.get(name) for name in said} == dict.fromkeys(said) | {"authorization_endpoint": safe}


def test_what_an_issuer_said_holds_on_while_it_is_away(httpserver: HTTPServer) -> None:
    """An hour later too: whoever is signed in stays so."""
    said = {httpserver.url_for(WELL_KNOWN): document(httpserver)}
    discovery = Discovery(issuer_of(httpserver), fetch=said.pop)
    known = discovery.endpoints()

    discovery._asked_at -= KEEP_SECONDS  # noqa: SLF001  Else the test waits an hour.

    assert discovery.endpoints() == known
    assert said == {}
