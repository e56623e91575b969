"""An identity provider's side: keys, and tokens with any claims and any header."""

import json
from base64 import urlsafe_b64encode
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from shared import clock

ISSUER, AUDIENCE = "https://identity.test/", "popcandy"
PERSON = UUID("01800000-0000-7000-8000-000000000001")
PROGRAMME = UUID("01800000-0000-7000-8000-000000000002")
PARTNER = UUID("01800000-0000-7000-8000-000000000003")
Key = ECKey | RSAKey | OctKey


def make_key(key_id: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": key_id}, private=True)


def jwks_of(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def make_claims(**overrides: Any) -> dict[str, Any]:
    """Make a good token's claims; one that is overridden by ... is left out."""
    now = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(PERSON),
        "iat": now,
        "exp": now + 600,
        "programme_id": str(PROGRAMME),
        "roles": ["volunteer"],
    }
    return {name: value for name, value in (claims | overrides).items() if value is not ...}


def make_token(key: Key, *, alg: str = "ES256", key_id: str | None = None, **overrides: Any) -> str:
    header = {"alg": alg, "kid": key_id or key.kid}
    return jwt.encode(header, make_claims(**overrides), key, algorithms=[alg])


def make_raw(key: ECKey, payload: bytes | str, **header: Any) -> str:
    """Sign any payload under any header; a header member that is ... is left out."""
    whole = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt", **header}
    protected = {name: value for name, value in whole.items() if value is not ...}
    head = encoded(json.dumps(protected).encode())
    body = encoded(payload if isinstance(payload, bytes) else payload.encode())
    signature = JWSRegistry.algorithms["ES256"].sign(f"{head}.{body}".encode(), key)
    return f"{head}.{body}.{encoded(signature)}"


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
