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
from shared.auth.callers import NotAuthenticated, ProgrammeDiffers, ProgrammeNeeded, service_id
from shared.auth.claims import LEEWAY_SECONDS
from shared.auth.keys import KeyStore
from shared.auth.tokens import MOST_CHARACTERS, TokenVerifier
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
    make_raw,
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


def claims_with(**overrides: Any) -> str:
    return json.dumps(make_claims(**overrides))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 1}, "expired_token"),
        ({"nbf": 2**33}, "not_yet_valid"),
        ({"iat": 2**33}, "issued_in_the_future"),
        ({"iss": "https://identity.test"}, "wrong_issuer"),
        ({"iss": [ISSUER]}, "wrong_issuer"),
        ({"aud": "popcandy-console"}, "wrong_audience"),
        ({"aud": []}, "wrong_audience"),
        ({"aud": {"popcandy": 1}}, "wrong_audience"),
        ({"aud": [AUDIENCE, 5]}, "wrong_audience"),
        ({"exp": ...}, "missing_claim"),
        ({"exp": True}, "malformed_claims"),
        ({"exp": 2**60}, "malformed_claims"),
        ({"programme_id": ...}, "no_programme"),
        ({"roles": ["a"] * 201}, "malformed_claims"),
        ({"roles": ["volunteer", None]}, "malformed_claims"),
        ({"sub": "𠮷"}, "malformed_claims"),
        ({"sub": f"{PERSON}\0"}, "malformed_claims"),
        ({"nonce": "n"}, "not_an_access_token"),
        ({"at_hash": "h"}, "not_an_access_token"),
        ({"typ": "ID"}, "not_an_access_token"),
        ({"typ": "Refresh"}, "not_an_access_token"),
        ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "not_an_access_token"),
    ],
    ids=str,
)
def test_the_reason_is_said(claims: dict[str, Any], reason: str) -> None:
    """To whoever sets the provider up, in one word that is always the same."""
    assert refused(make_raw(KEY, claims_with(**claims))) == reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", "malformed_claims"),
        ("null", "malformed_claims"),
        ("[]", "malformed_claims"),
        ('"admin"', "malformed_claims"),
        ("[" * 3_000 + "]" * 3_000, "malformed_claims"),
        ('{"":' * 1_100 + "1" + "}" * 1_100, "malformed_claims"),
        (b"\xff\xfe{}", "malformed_claims"),
        (claims_with()[:-1] + ', "sub": "01800000-0000-7000-8000-0000000000ff"}', "malformed_claims"),
        (claims_with(exp=...)[:-1] + ', "exp": NaN}', "malformed_claims"),
        (claims_with(exp=...)[:-1] + ', "exp": 1e999}', "malformed_claims"),
        (claims_with(exp=...)[:-1] + ', "exp": ' + "9" * 5_000 + "}", "malformed_claims"),
    ],
    ids=range(11),
)
def test_a_payload_that_is_no_claims_is_refused(payload: str | bytes, reason: str) -> None:
    """Even if our own issuer had signed it: a member that is there twice has two readers and two meanings."""
    assert refused(make_raw(KEY, payload)) == reason


@pytest.mark.parametrize("typ", [..., "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_providers_name_access_tokens_differently(typ: object) -> None:
    """RFC 9068 asks for `at+jwt`; many providers are older than it."""
    assert VERIFIER.verify(make_raw(KEY, claims_with(), typ=typ), now=clock.now()).person_id == PERSON


@pytest.mark.parametrize("typ", ["dpop+jwt", "logout+jwt", "secevent+jwt", "", 5, ["at+jwt"], None])
def test_another_kind_of_token_opens_nothing(typ: object) -> None:
    """What was signed for one purpose is nothing for another (RFC 8725 section 3.11)."""
    assert refused(make_raw(KEY, claims_with(), typ=typ)) == "not_an_access_token"


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"zip": "DEF"}])
def test_rules_that_we_do_not_speak_are_refused(header: dict[str, Any]) -> None:
    """Rather than the token read without them (RFC 7515 section 4.1.11)."""
    assert refused(make_raw(KEY, claims_with(), **header)) == "unsupported_header"


def test_headers_that_mean_nothing_to_us_are_passed_over() -> None:
    """Providers add their own (RFC 7515 section 4)."""
    token = make_raw(KEY, claims_with(), x5t="abc", **{"https://identity.test/tenant": "t" * 600})

    assert VERIFIER.verify(token, now=clock.now()).person_id == PERSON


def test_roles_of_other_systems_are_passed_over() -> None:
    """One provider serves many systems; what we do not know gives nothing, and takes nothing away."""
    callers = [
        VERIFIER.verify(make_token(KEY, roles=roles), now=clock.now())
        for roles in (["emperor"], ["volunteer", "emperor"], [])
    ]

    assert [caller.roles for caller in callers] == [frozenset(), {Role.VOLUNTEER}, frozenset()]


def test_a_key_signs_with_its_own_algorithm() -> None:
    """An issuer that says RS256 has not signed with PS256."""
    key = RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS256"}, private=True)
    plain = RSAKey.import_key({**key.as_dict(private=True), "alg": "PS256"})

    assert verifier_of(key).verify(make_token(key, alg="RS256"), now=clock.now()).person_id == PERSON
    assert refused(make_token(plain, alg="PS256"), verifier=verifier_of(key)) == "unsupported_algorithm"


def test_a_token_that_is_too_large_is_not_looked_at() -> None:
    """Whatever it says."""
    token = make_token(KEY, padding="x" * MOST_CHARACTERS)

    assert refused(token) == "token_too_large"
    assert refused("x" * 10_000_000) == "token_too_large"
    with pytest.raises(NotAuthenticated):
        VERIFIER.needs_keys(token)


@pytest.mark.parametrize(
    "token", ["a.b", "a.b.c.d.e", "..", "\0", "😀.😀.😀", "e30.e30.", "bnVsbA.e30.x", "WyJhbGciXQ.e30.x"]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    """Nor one with a header that is no object."""
    assert refused(token) in {"malformed_token", "unsupported_algorithm"}
    with pytest.raises(NotAuthenticated):
        VERIFIER.needs_keys(token)


class TestServices:
    def test_a_service_is_itself_and_nobody_else(self) -> None:
        """It has an id of its own, one role, and the programme that the call names."""
        token = make_token(KEY, sub="svc", client_id="popcandy-ledger", roles=["service"], programme_id=...)
        caller = VERIFIER.verify(token, now=clock.now(), programme_id=PROGRAMME)

        assert (caller.service, caller.name) == ("popcandy-ledger", "service:popcandy-ledger")
        assert (caller.person_id, caller.programme_id) == (service_id("popcandy-ledger"), PROGRAMME)
        assert caller.roles == {Role.SERVICE}
        assert service_id("popcandy-ledger") != service_id("popcandy-activities")

    def test_a_service_names_its_programme(self) -> None:
        """Its token is for all of them, so each call says which; a token that is for one stays there."""
        token = make_token(KEY, client_id="popcandy-ledger", roles=["service"], programme_id=...)
        narrow = make_token(KEY, client_id="popcandy-ledger", roles=["service"])

        with pytest.raises(ProgrammeNeeded):
            VERIFIER.verify(token, now=clock.now())
        assert VERIFIER.verify(narrow, now=clock.now()).programme_id == PROGRAMME
        with pytest.raises(ProgrammeDiffers):
            VERIFIER.verify(narrow, now=clock.now(), programme_id=PARTNER)

    def test_a_person_stays_in_the_programme_of_the_token(self) -> None:
        """Naming another one does not lead there."""
        token = make_token(KEY)

        assert VERIFIER.verify(token, now=clock.now(), programme_id=PROGRAMME).programme_id == PROGRAMME
        with pytest.raises(ProgrammeDiffers):
            VERIFIER.verify(token, now=clock.now(), programme_id=PARTNER)

    @pytest.mark.parametrize(
        "claims",
        [
            {"roles": ["service", "admin"]},
            {"roles": ["service", "volunteer"]},
            {"partner_id": str(PARTNER)},
            {"client_id": "popcandy ledger"},
            {"client_id": "x" * 101},
            {"client_id": ""},
            {"client_id": 5},
            {"client_id": None},
        ],
        ids=str,
    )
    def test_a_service_never_has_a_persons_powers(self, claims: dict[str, Any]) -> None:
        """Nor does a person become a service by one role too many."""
        mixed = {"client_id": "popcandy-ledger", "roles": ["service"], "programme_id": ..., **claims}

        assert refused(make_token(KEY, **mixed)) == "malformed_claims"

    def test_providers_name_the_client_differently(self) -> None:
        """`client_id` (RFC 9068), `azp`, or the subject."""
        for claims in ({"client_id": "c", "azp": "x"}, {"azp": "c"}, {"sub": "c"}):
            token = make_token(KEY, roles=["service"], **claims)
            assert VERIFIER.verify(token, now=clock.now()).service == "c"


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

    @pytest.mark.parametrize("name", ["jwk", "jku", "x5u"])
    def test_a_token_that_brings_its_key_is_refused(self, name: str) -> None:
        """Even if it is signed by ours: whoever wrote it hoped that somebody looks there."""
        assert refused(make_raw(KEY, claims_with(), **{name: "https://evil.test/jwks"})) == "unsupported_header"

    def test_a_changed_signature_is_refused(self) -> None:
        """Or one that is cut off, or another token's."""
        token, other = make_token(KEY), make_token(KEY, roles=["admin"])
        head, claims, signature = token.split(".")
        first = "A" if signature[0] != "A" else "B"
        for forged in (first + signature[1:], signature[:-4], "", other.split(".")[2]):
            assert refused(f"{head}.{claims}.{forged}") == "bad_signature"

    @pytest.mark.parametrize("key_id", [..., None, 5, ["ours"], {"kid": "ours"}])
    def test_a_key_is_named_by_text(self, key_id: object) -> None:
        """Nothing else names one."""
        assert refused(make_raw(KEY, claims_with(), kid=key_id)) == "no_key_id"

    @pytest.mark.parametrize("key_id", ["", "another", "ours\0", "../../jwks", "😀", "x" * 5_000])
    def test_a_key_that_the_issuer_does_not_publish_signs_nothing(self, key_id: str) -> None:
        """Whatever it is called."""
        assert refused(make_raw(KEY, claims_with(), kid=key_id)) == "unknown_key"

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
