"""Somebody's browser and the console's server, in front of a provider without a platform around it."""

import hashlib
import re
import secrets
import socket
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx2
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.testclient import TestClient

from launch.oidc.app import create_app
from launch.oidc.assembly import Home
from launch.oidc.clients import CONSOLE, clients_of
from launch.oidc.people import Attached, Known, People
from launch.oidc.provider import Means, Provider
from launch.oidc.sessions import Sessions
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.keys import KeyStore
from shared.auth.signatures import signatures_of
from shared.auth.tokens import TokenVerifier
from shared.roles import Role
from shared.settings import Settings
from tests.waiting import until

HOST = "127.0.0.1:8022"
ISSUER = f"http://{HOST}/oidc"
CONSOLE_URL = "http://127.0.0.1:8023"
CALLBACK = f"{CONSOLE_URL}/sign-in/callback"
PROGRAMME = UUID("01800000-0000-7000-8000-000000000002")
ATTACHED = Attached((Known(uuid4()), Known(uuid4(), "合成志愿者 7")), (uuid4(), uuid4()))
PAGE = {"sec-fetch-site": "same-origin", "origin": f"http://{HOST}"}


def make_provider(folder: Path, *, url: str = ISSUER) -> Provider:
    """Put a provider together over a folder, as the platform does at each start."""
    signatures = signatures_of(folder)
    home = Home(folder, PROGRAMME, EmbeddedIssuer(folder, Settings()), signatures)
    means = Means(
        url=url,
        clients=clients_of(folder, services=["activities", "ledger"], console_url=CONSOLE_URL),
        people=People(folder, PROGRAMME, lambda: ATTACHED),
        sessions=Sessions(folder / "oidc-sessions.json", signatures),
        signatures=signatures,
    )
    return Provider(home.issuer, means)


@contextmanager
def served(folder: Path) -> Iterator[Provider]:
    """Serve a provider on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider = make_provider(folder, url=f"http://127.0.0.1:{listening.getsockname()[1]}/oidc")
        server = uvicorn.Server(uvicorn.Config(create_app(provider), lifespan="off", ws="none", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started, timeout=10, missing="the provider")
        yield provider
        server.should_exit = True
        thread.join(timeout=10)


def client_of(provider: Provider, *, host: str = "127.0.0.1", base_url: str = f"http://{HOST}") -> TestClient:
    """Call a provider from a machine; by default from its own."""
    app = create_app(provider)
    return TestClient(app, base_url=base_url, client=(host, 50_000), follow_redirects=False)


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Browsing:
    """A browser on its way through a sign-in, and the console that waits for it."""

    provider: Provider
    http: httpx2.Client
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    callback: str = CALLBACK

    def wanted(self, **overrides: Any) -> dict[str, str]:
        """Return the console's request; what is overridden by ... is left out."""
        own = {
            "response_type": "code",
            "client_id": CONSOLE,
            "redirect_uri": self.callback,
            "scope": "openid profile",
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (own | overrides).items() if value is not ...}

    def authorize(self, **overrides: Any) -> Any:
        return self.http.get("/oidc/authorize", params=self.wanted(**overrides))

    def choose(self, role: Role, **overrides: Any) -> dict[str, str]:
        """Sign in as the first person of a role and return what the console is told."""
        page = self.authorize(**overrides)
        signed = re.search(r'name="request" value="([^"]+)"', page.text)
        assert signed, page.text
        person = next(person for person in self.provider.people.all() if person.role == role)
        form = {"request": signed[1], "person": str(person.id)}
        return told(self.http.post("/oidc/sign-in", data=form, headers=self.page), callback=self.callback)

    def token(self, **overrides: Any) -> Any:
        """Ask the token endpoint as the console."""
        form = {name: value for name, value in overrides.items() if value is not ...}
        return self.http.post("/oidc/token", data=form, auth=(CONSOLE, self.secret))

    def exchange(self, code: str, /, **overrides: Any) -> Any:
        """Turn a code into tokens."""
        own = {"grant_type": "authorization_code", "redirect_uri": self.callback, "code_verifier": self.verifier}
        return self.token(**(own | {"code": code} | overrides))

    def sign_in(self, role: Role = Role.OPERATOR) -> dict[str, Any]:
        """Go all the way and return the tokens."""
        answer = self.exchange(self.choose(role)["code"])
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def refresh(self, refresh_token: str) -> Any:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    @property
    def page(self) -> dict[str, str]:
        """What a browser says when our own page posts."""
        return PAGE | {"origin": self.provider.url.removesuffix("/oidc")}

    @property
    def secret(self) -> str:
        return self.provider.clients[CONSOLE].secret

    def claims(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read a token with the keys that the provider publishes: its header and its claims."""
        keys = KeySet.import_key_set(self.http.get("/oidc/jwks").json())
        found = jwt.decode(token, keys, algorithms=["ES256"])
        return found.header, found.claims


def told(answer: Any, *, callback: str = CALLBACK) -> dict[str, str]:
    """Return the parameters of a redirect to the console."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{callback}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def verifier_of(browsing: Browsing) -> TokenVerifier:
    store = KeyStore(lambda: browsing.http.get("/oidc/jwks").json())
    store.refresh()
    return TokenVerifier(store, issuer=ISSUER, audience="popcandy")
