"""Who may ask the issuer for tokens: the console for people, each service for itself."""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote_plus

from launch.oidc.refusals import Refused

CODE, REFRESH, OWN = "authorization_code", "refresh_token", "client_credentials"
CONSOLE = "popcandy-console"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client with what it may do; all are confidential."""

    id: str
    secret: str
    grants: frozenset[str]
    redirect_uris: frozenset[str] = frozenset()
    post_logout_redirect_uris: frozenset[str] = frozenset()


def client_id_of(service: str) -> str:
    """Return as which client a service asks for its own tokens."""
    return f"popcandy-{service}"


def secret_of(folder: Path, client_id: str) -> str:
    """Return a client's secret within one folder's platform: of the folder's own secret, and different for each."""
    key = (folder / "secret").read_bytes()
    return hmac.digest(key, f"popcandy.client.{client_id}".encode(), "sha256").hex()


def clients_of(folder: Path, *, services: Sequence[str], console_url: str) -> dict[str, Client]:
    """Return the clients of a folder's platform, whose secret exists already."""
    pages = (f"{console_url}/", f"{console_url}/sign-in", f"{console_url}/signed-out")
    console = Client(
        CONSOLE,
        secret_of(folder, CONSOLE),
        frozenset({CODE, REFRESH, OWN}),
        frozenset({f"{console_url}/sign-in/callback"}),
        frozenset(pages),
    )
    own = frozenset({OWN})
    others = [Client(client_id_of(name), secret_of(folder, client_id_of(name)), own) for name in services]
    return {client.id: client for client in (console, *others)}


def authenticated(clients: Mapping[str, Client], form: Mapping[str, str], authorization: str | None) -> Client:
    """Return the client that has shown its secret, in the header or in the form. Raises Refused (invalid_client)."""
    if authorization is not None and "client_secret" in form:
        raise Refused("invalid_request", "the client must authenticate in one way only")
    client_id, secret = _shown(form, authorization)
    client = clients.get(client_id)
    expected = client.secret if client else "0" * 64  # As long as a secret: an unknown client takes the same time.
    is_right = hmac.compare_digest(expected.encode(), secret.encode(errors="replace"))
    if client is None or not is_right:
        raise Refused("invalid_client", "unknown client or wrong secret", status=HTTPStatus.UNAUTHORIZED)
    if form.get("client_id", client.id) != client.id:
        raise Refused("invalid_request", "client_id differs from the client that authenticated")
    return client


def _shown(form: Mapping[str, str], authorization: str | None) -> tuple[str, str]:
    """Read who says to be which client (RFC 6749 section 2.3.1)."""
    if authorization is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        name, secret = "", ""
    if scheme.lower() != "basic":
        raise Refused("invalid_client", "only Basic is understood", status=HTTPStatus.UNAUTHORIZED)
    return unquote_plus(name), unquote_plus(secret)
