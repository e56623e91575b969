"""The console in front of doubles of the APIs and of an issuer: called directly, or served to a real browser."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser
from pytest_httpserver import HTTPServer
from starlette.testclient import TestClient

from launch import assets
from services.console.main import connect, create_app
from tests.console.browser import OpenPage, pages_of
from tests.console.doubles import ActivitiesApi
from tests.console.provider import Provider
from tests.console.signing_in import CONSOLE_URL, OURS, csrf_of, sign_in, sign_in_at
from tests.servers.chromium import HOST
from tests.waiting import until


@pytest.fixture(scope="session", autouse=True)
def fetched() -> None:
    """Have what the pages load."""
    assets.fetch()


@pytest.fixture
def activities(httpserver: HTTPServer) -> ActivitiesApi:
    return ActivitiesApi(httpserver)


@pytest.fixture
def provider(httpserver: HTTPServer) -> Provider:
    return Provider(httpserver)


@pytest.fixture
def stranger(activities: ActivitiesApi, provider: Provider) -> Iterator[TestClient]:
    """The console, used by somebody who is not signed in."""
    with connect(activities.url) as api:
        app = create_app(api, console_url=CONSOLE_URL, sign_in=sign_in_at(provider))
        yield TestClient(app, headers=OURS, follow_redirects=False)


@pytest.fixture
def console(stranger: TestClient, activities: ActivitiesApi, provider: Provider) -> TestClient:
    """The console, used by somebody who is signed in, from its own pages."""
    sign_in(stranger)
    stranger.headers["x-csrf-token"] = csrf_of(stranger)
    activities.seen.clear()
    provider.seen.clear()
    return stranger


@pytest.fixture
def open_page(browser: Browser, served: str, provider: Provider) -> Iterator[OpenPage]:
    with pages_of(browser, served, besides=provider.url) as opener:
        yield opener


@pytest.fixture
def served(activities: ActivitiesApi, provider: Provider) -> Iterator[str]:
    """The console on a port of its own, by its URL. Its host is not "localhost": phones reach it by plain HTTP too."""
    with socket.create_server(("127.0.0.1", 0)) as listening, connect(activities.url) as api:
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        app = create_app(api, console_url=url, sign_in=sign_in_at(provider))
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started, timeout=10, missing="the console")
        yield url
        server.should_exit = True
        thread.join(timeout=10)
