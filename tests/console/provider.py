"""The other side of signing in: an OpenID provider that signs in whoever comes; a test spoils what it likes."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shared import clock

CLIENT_ID, CLIENT_SECRET = "popcandy-console", "a secret: with a colon & more"
PATH = "/oidc"
PERSON = {
    "sub": "0199a1b2-0000-7000-8000-000000000001",
    "name": "合成甲",
    "name#en": "Synthetic A",
    "roles": ["volunteer"],
    "programme_id": "0199a1b2-0000-7000-8000-00000000000f",
}

Claims = dict[str, Any]


class Provider:
    """Answers on a running server; codes and refresh tokens work once, and a refresh token used twice ends all."""

    def __init__(self, server: HTTPServer, *, key: ECKey | None = None) -> None:
        """Sign with a key of one's own, or with the one given."""
        self.url = server.url_for(PATH)
        self.key = key or ECKey.generate_key("P-256", private=True, auto_kid=True)
        self.person: Claims = dict(PERSON)
        self.life = timedelta(minutes=15)
        self.metadata: Claims = {}
        self.tokens: Claims = {}
        self.spoil: Callable[[Claims], Claims] = _as_it_is
        self.answer: Callable[[Claims], Claims] = _as_it_is
        self.access_token: Callable[[Provider], str] = _access_token
        self.broken: Response | None = None
        self.before_renewal: Callable[[], object] = _nothing
        self.revoked: list[str] = []
        self.renewals = 0
        self.seen: list[Request] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._current: str | None = None
        self._count = 0
        self._lock = threading.Lock()
        server.expect_request(re.compile(f"{PATH}/.*")).respond_with_handler(self._answer)

    def end(self) -> None:
        """Accept no refresh token of this session any more."""
        self._current = None

    def _answer(self, request: Request) -> Response:
        self.seen.append(request)
        if self.broken is not None:
            return self.broken
        what = request.path.removeprefix(f"{PATH}/")
        return {
            ".well-known/openid-configuration": self._discover,
            "jwks": self._jwks,
            "authorize": self._authorize,
            "token": self._token,
            "revoke": self._revoke,
            "end-session": self._end_session,
        }[what](request)

    def _discover(self, _request: Request) -> Response:
        places = {
            name: f"{self.url}/{path}"
            for name, path in {
                "authorization_endpoint": "authorize",
                "token_endpoint": "token",
                "jwks_uri": "jwks",
                "revocation_endpoint": "revoke",
                "end_session_endpoint": "end-session",
            }.items()
        }
        found = {
            "issuer": self.url,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **places,
            **self.metadata,
        }
        return _json({name: value for name, value in found.items() if value is not None})

    def _jwks(self, _request: Request) -> Response:
        return _json({"keys": [self.key.as_dict(private=False)]})

    def _end_session(self, request: Request) -> Response:
        return _go(request.args["post_logout_redirect_uri"])

    def _authorize(self, request: Request) -> Response:
        asked = request.args.to_dict()
        code = self._new("code")
        self._codes[code] = asked
        back = self.answer({"code": code, "state": asked["state"], "iss": self.url})
        return _go(f"{asked['redirect_uri']}?{urlencode(back)}")

    def _token(self, request: Request) -> Response:
        form = request.form.to_dict()
        if not _is_authenticated(request):
            return _json({"error": "invalid_client"}, 401)
        with self._lock:
            if form["grant_type"] == "refresh_token":
                return self._renew(form)
            asked = self._codes.pop(form["code"], None)
            if asked is None or not _fits(asked, form):
                return _json({"error": "invalid_grant"}, 400)
            return self._give(nonce=asked["nonce"])

    def _renew(self, form: dict[str, str]) -> Response:
        self.before_renewal()
        if form["refresh_token"] != self._current:
            self._current = None  # As RFC 9700 advises: somebody has stolen it.
            return _json({"error": "invalid_grant"}, 400)
        self.renewals += 1
        return self._give()

    def _give(self, nonce: str | None = None) -> Response:
        now = int(clock.now().timestamp())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, **self.person}
        if nonce is not None:
            claims["nonce"] = nonce
        self._current = self._new("refresh")
        given = {
            "access_token": self.access_token(self),
            "token_type": "Bearer",
            "expires_in": int(self.life.total_seconds()),
            "refresh_token": self._current,
            "id_token": self.sign(self.spoil(claims)),
            **self.tokens,
        }
        return _json({name: value for name, value in given.items() if value is not None})

    def sign(self, claims: Claims, **header: str) -> str:
        return jwt.encode({"alg": "ES256", "kid": str(self.key.kid), **header}, claims, self.key)

    def _revoke(self, request: Request) -> Response:
        self.revoked.append(request.form["token"])
        return _json({})

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"


def _access_token(provider: Provider) -> str:
    """Make a token in the form that issuers sign; each is another."""
    return provider.sign({"sub": provider.person["sub"], "roles": provider.person["roles"], "jti": provider._new("t")})  # noqa: SLF001  Its own.


def _as_it_is(claims: Claims) -> Claims:
    return claims


def _nothing() -> None:
    """Let a renewal be."""


def _is_authenticated(request: Request) -> bool:
    """Take a client that shows its secret as RFC 6749 section 2.3.1 says, each part encoded; or a public one."""
    shown = request.authorization
    if shown is None:
        return request.form.get("client_id") == CLIENT_ID and request.form.get("client_secret") in {None, CLIENT_SECRET}
    given = base64.b64decode(request.headers["authorization"].split()[1]).decode()
    return given == urlencode({CLIENT_ID: CLIENT_SECRET}).replace("=", ":")


def _fits(asked: dict[str, str], form: dict[str, str]) -> bool:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    return asked["code_challenge"] == challenge and asked["redirect_uri"] == form["redirect_uri"]


def _go(url: str) -> Response:
    return Response("", 303, {"location": url})


def _json(document: Claims, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
