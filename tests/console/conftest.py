"""The console in front of a double of activities' API: called directly, or served to a real browser."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from pytest_httpserver import HTTPServer
from starlette.testclient import TestClient

from services.console.main import connect, create_app
from tests.console.doubles import ActivitiesApi, make_token
from tests.waiting import until

CONSOLE_URL = "http://testserver"
OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def activities(httpserver: HTTPServer) -> ActivitiesApi:
    return ActivitiesApi(httpserver)


@pytest.fixture
def console(activities: ActivitiesApi) -> Iterator[TestClient]:
    """The console, used by somebody who is signed in."""
    with connect(activities.url) as api:
        client = TestClient(create_app(api, console_url=CONSOLE_URL), headers=OURS, follow_redirects=False)
        client.post("/sign-in", data={"token": make_token()})
        yield client


@pytest.fixture
def served(activities: ActivitiesApi) -> Iterator[str]:
    """The console on a port of its own, by its URL. Its host is not "localhost": phones reach it by plain HTTP too."""
    with socket.create_server(("127.0.0.1", 0)) as listening, connect(activities.url) as api:
        url = f"http://popcandy.test:{listening.getsockname()[1]}"
        app = create_app(api, console_url=url)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started, timeout=10, missing="the console")
        yield url
        server.should_exit = True
        thread.join(timeout=10)
