"""Tokens: who is calling, told from everybody who only says so."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from shared import clock
from shared.auth.callers import NotAuthenticated
from shared.auth.claims import LEEWAY_SECONDS
from shared.auth.keys import KeyStore
from shared.auth.tokens import TokenVerifier
from shared.roles import Role
from tests.shared.auth.signing import (
    AUDIENCE,
    ISSUER,
    PARTNER,
    PERSON,
    PROGRAMME,
    Key,
    jwks_of,
    make_claims,
    make_key,
    make_token,
)

KEY = make_key("ours")


def verifier_of(*keys: Key) -> TokenVerifier:
    store = KeyStore(lambda: jwks_of(*keys))
    store.refresh()
    return TokenVerifier(store, issuer=ISSUER, audience=AUDIENCE)


VERIFIER = verifier_of(KEY)


def refused(token: str, *, verifier: TokenVerifier = VERIFIER, later: timedelta = timedelta(0)) -> str:
    with pytest.raises(NotAuthenticated) as refusal:
        verifier.verify(token, now=clock.now() + later)
    return str(refusal.value.facts["reason"])


def test_a_good_token_says_who_is_calling() -> None:
    """In which programme, in which roles, for which partner."""
    token = make_token(KEY, roles=["partner", "volunteer"], partner_id=str(PARTNER))
    caller = VERIFIER.verify(token, now=clock.now())

    assert (caller.person_id, caller.programme_id, caller.partner_id) == (PERSON, PROGRAMME, PARTNER)
    assert caller.roles == {Role.PARTNER, Role.VOLUNTEER}


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_other_issuers_sign_with_rsa(alg: str) -> None:
    """Most identity providers do."""
    key = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)

    assert verifier_of(key).verify(make_token(key, alg=alg), now=clock.now()).person_id == PERSON


def test_a_token_expires() -> None:
    """Clocks may differ by half a minute, not more."""
    token = make_token(KEY)
    VERIFIER.verify(token, now=clock.now() + timedelta(seconds=600 + LEEWAY_SECONDS - 5))

    assert refused(token, later=timedelta(seconds=600 + LEEWAY_SECONDS + 5)) == "expired_token"


def test_a_token_that_is_not_valid_yet_is_refused() -> None:
    """Somebody may be let in from Monday."""
    token = make_token(KEY, nbf=int(clock.now().timestamp()) + 3600)

    assert refused(token) == "not_yet_valid"
    VERIFIER.verify(make_token(KEY, nbf=int(clock.now().timestamp()) + 3600, exp=2**33), now=clock.now() + timedelta(1))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": ...},
        {"iss": "https://elsewhere.test/"},
        {"iss": ...},
        {"exp": ...},
        {"exp": "soon"},
        {"sub": ...},
        {"sub": ""},
        {"sub": 5},
        {"sub": "somebody"},
        {"programme_id": ...},
        {"programme_id": "ours"},
        {"programme_id": 5},
        {"programme_id": None},
        {"roles": ...},
        {"roles": None},
        {"roles": 5},
        {"roles": "admin"},
        {"roles": [["admin"]]},
        {"roles": [{"admin": True}]},
        {"partner_id": "ours"},
        {"partner_id": 5},
        {"partner_id": ["x"]},
        {"partner_id": ""},
    ],
)
def test_a_signed_token_with_other_claims_is_refused(claims: dict[str, Any]) -> None:
    """A token for another system, or of a provider that is set up wrongly, opens nothing."""
    assert refused(make_token(KEY, **claims))


def test_a_token_for_several_audiences_is_also_ours() -> None:
    """Providers may list all the systems of a house."""
    assert VERIFIER.verify(make_token(KEY, aud=["another", AUDIENCE]), now=clock.now()).person_id == PERSON


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


class TestForgery:
    def test_unsigned_tokens_are_refused(self) -> None:
        """`alg: none` was once accepted by many."""
        for alg in ("none", "None", "NONE", ""):
            assert refused(f"{encoded({'alg': alg, 'kid': 'ours'})}.{encoded(make_claims())}.")

    def test_a_public_key_is_no_password(self) -> None:
        """Whoever reads our JWKS could else sign with it as a shared secret."""
        for secret in (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode()):
            signed = f"{encoded({'alg': 'HS256', 'kid': 'ours'})}.{encoded(make_claims(roles=['admin']))}"
            code = hmac.digest(secret, signed.encode(), "sha256")
            assert refused(f"{signed}.{base64.urlsafe_b64encode(code).rstrip(b'=').decode()}")

    def test_a_shared_secret_among_the_keys_signs_nothing(self) -> None:
        """Only the issuer signs, even where its key set holds more than it should."""
        secret = OctKey.generate_key(256, {"kid": "shared"}, private=True)
        store = KeyStore(lambda: {"keys": [*jwks_of(KEY)["keys"], secret.as_dict(private=True)]})
        store.refresh()
        verifier = TokenVerifier(store, issuer=ISSUER, audience=AUDIENCE)

        assert refused(make_token(secret, alg="HS256"), verifier=verifier)

    def test_a_key_of_the_same_name_is_not_the_key(self) -> None:
        """Anybody can call a key `ours`."""
        assert refused(make_token(make_key("ours"))) == "bad_signature"

    def test_changed_claims_are_refused(self) -> None:
        """A volunteer does not become an administrator with a text editor."""
        header, _, signature = make_token(KEY).split(".")

        assert refused(f"{header}.{encoded(make_claims(roles=['admin']))}.{signature}") == "bad_signature"

    def test_a_key_that_comes_with_the_token_is_not_asked(self) -> None:
        """Headers may carry keys; nobody vouches for them (RFC 7515 section 4.1.3)."""
        own = make_key("own")
        header = {"alg": "ES256", "kid": "own", "jwk": own.as_dict(private=False), "jku": "https://evil.test/jwks"}
        _, claims, signature = make_token(own).split(".")

        assert refused(f"{encoded(header)}.{claims}.{signature}")

    def test_a_token_without_a_key_id_is_refused(self) -> None:
        """Which key it is, is not guessed."""
        _, claims, signature = make_token(KEY).split(".")

        assert refused(f"{encoded({'alg': 'ES256'})}.{claims}.{signature}")


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_garbage_is_refused(garbage: str) -> None:
    """Whatever stands behind `Bearer` is answered with 401, never with a fault."""
    for token in (garbage, f"{garbage}.{garbage}.{garbage}", f"{encoded(garbage)}.{encoded([])}.x"):
        with pytest.raises(NotAuthenticated):
            VERIFIER.needs_keys(token) and VERIFIER.verify(token, now=clock.now())


def test_a_token_names_the_key_that_it_needs() -> None:
    """Only then are the keys read again."""
    assert not VERIFIER.needs_keys(make_token(KEY))
    assert VERIFIER.needs_keys(make_token(ECKey.generate_key("P-256", {"kid": "new"}, private=True)))
