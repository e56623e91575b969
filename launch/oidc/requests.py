"""What a client asks for at the authorization endpoint (OpenID Connect Core section 3.1.2, RFC 7636)."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from launch.oidc.clients import CODE, Client
from launch.oidc.refusals import NotRedirectable, Refused

SCOPES = ("openid", "profile", "offline_access")
MOST_CHARACTERS = 2048  # Of one parameter.

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that is in order; all that is left is who the person is."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str | None
    code_challenge: str

    def as_json(self) -> dict[str, Any]:
        """Return it as what can be signed and read again (`AuthorizationRequest(**…)`)."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Back:
    """The way back to the client."""

    redirect_uri: str
    state: str | None
    issuer: str

    def url(self, **parameters: str) -> str:
        """Return the redirect with an answer, the client's state, and who answers (RFC 9207)."""
        state = {} if self.state is None else {"state": self.state}
        return f"{self.redirect_uri}?{urlencode({**parameters, **state, 'iss': self.issuer})}"


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return parameters by name; one without a value counts as left out (RFC 6749 section 3.1).

    Raises Refused for one that is given twice or is too long.
    """
    listed = [(name, value) for name, value in pairs if value]
    twice = [name for name, count in Counter(name for name, _ in listed).items() if count > 1]
    if twice or any(len(value) > MOST_CHARACTERS for _, value in listed):
        raise Refused("invalid_request", "a parameter is given twice, or is too long")
    return dict(listed)


def find_back(clients: Mapping[str, Client], pairs: Iterable[tuple[str, str]], *, issuer: str) -> Back:
    """Return the way back, compared exactly with what is registered. Raises NotRedirectable: nothing is redirected."""
    listed = list(pairs)
    ids = [value for name, value in listed if name == "client_id"]
    uris = [value for name, value in listed if name == "redirect_uri"]
    states = [value for name, value in listed if name == "state" and len(value) <= MOST_CHARACTERS]
    client = clients.get(ids[0]) if len(ids) == 1 else None
    if client is None or CODE not in client.grants:
        raise NotRedirectable("client_id")
    if len(uris) != 1 or uris[0] not in client.redirect_uris:
        raise NotRedirectable("redirect_uri")
    return Back(uris[0], states[0] if len(states) == 1 else None, issuer)


def read_request(parameters: Mapping[str, str]) -> AuthorizationRequest:
    """Return a request whose client and way back are known. Raises Refused, which goes back to the client."""
    _refuse_what_is_not_spoken(parameters)
    scopes = parameters.get("scope", "").split()
    if "openid" not in scopes:
        raise Refused("invalid_scope", "scope must contain openid")
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "PKCE is required: code_challenge with code_challenge_method S256")
    if "none" in parameters.get("prompt", "").split():
        raise Refused("login_required", "somebody has to choose who they are")
    return AuthorizationRequest(
        client_id=parameters["client_id"],
        redirect_uri=parameters["redirect_uri"],
        scope=" ".join(scope for scope in SCOPES if scope in scopes),
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        code_challenge=challenge,
    )


def _refuse_what_is_not_spoken(parameters: Mapping[str, str]) -> None:
    if "request" in parameters:
        raise Refused("request_not_supported", "request objects are not supported")
    if "request_uri" in parameters:
        raise Refused("request_uri_not_supported", "request objects are not supported")
    if "response_type" not in parameters:
        raise Refused("invalid_request", "response_type is missing")
    if parameters["response_type"] != "code":
        raise Refused("unsupported_response_type", "only the authorization code flow is supported")
    if parameters.get("response_mode", "query") != "query":
        raise Refused("invalid_request", "only response_mode=query is supported")
