"""Signing in to the console as a browser does, at a double of an issuer."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
from starlette.testclient import TestClient

from services.console.main import SignIn
from services.console.sessions.api import Desk
from shared import clock
from shared.auth.sealing import Seals
from tests.console.figures import SHIFT_ID
from tests.console.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.web_options import SECRET

PLACE = f"/c/{SHIFT_ID}"
CONSOLE_URL = "http://testserver"
OURS = {"sec-fetch-site": "same-origin"}

_CSRF = re.compile(r'name="csrf" value="([\w-]+)"')


def sign_in_at(provider: Provider, *, secret: str | None = CLIENT_SECRET, keys: tuple[str, ...] = (SECRET,)) -> SignIn:
    return SignIn(provider.url, CLIENT_ID, Seals(keys), secret)


def start(client: TestClient, next_path: str = "/") -> str:
    """Begin to sign in, and return the address that the issuer sends the browser back to."""
    begun = client.get(f"/sign-in?{urlencode({'next': next_path})}")
    assert begun.status_code == 303, begun.text
    return httpx2.get(begun.headers["location"], trust_env=False).headers["location"]


def sign_in(client: TestClient, next_path: str = "/") -> httpx2.Response:
    """Sign in, and return the answer to the way back."""
    return client.get(start(client, next_path))


def csrf_of(client: TestClient) -> str:
    """Read the CSRF token off a page."""
    found = _CSRF.search(client.get("/signed-out").text)
    assert found is not None
    return found[1]


def is_signed_in(client: TestClient) -> bool:
    return client.get(PLACE).status_code == 200


def later(seconds: float) -> None:
    clock.travel(clock.now() + timedelta(seconds=seconds))


def words(response: httpx2.Response) -> str:
    return html.unescape(response.text)


def desk_of(client: TestClient) -> Desk:
    """Reach behind the console's doors."""
    app: Any = client.app
    desk: Desk = app.app.app.state.desk  # Past `Traced` and `PageHeaders`.
    return desk
