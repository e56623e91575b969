"""The docs page: Swagger UI over a service's own document, from our own host alone."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from launch.services import SERVICES
from shared.service import Service
from shared.web import assets
from shared.web.app import routes_of
from tests.waiting import until

pytestmark = pytest.mark.timeout(900)  # At first need a browser is installed.


@pytest.fixture(scope="module")
def vendor() -> Path:
    return assets.vendor()


@pytest.fixture(params=SERVICES, ids=lambda service: str(service.name))
def page(request: pytest.FixtureRequest, vendor: Path) -> Iterator[str]:
    """Serve a service's routes, with nothing behind them, and return where its page is."""
    service: Service = request.param
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = routes_of(service, vendor=vendor)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started, timeout=10, missing="the docs page")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/{service.name}/docs"
        server.should_exit = True
        thread.join(timeout=10)


def test_a_browser_draws_it_and_asks_nobody_else(browser: Browser, page: str) -> None:
    """Each group is there, and in it each operation; nothing breaks the policy, and no other host hears of it."""
    said, asked = list[str](), set[str]()
    tab = browser.new_page()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.add(request.url))
    tab.set_default_timeout(100_000)  # Of hundreds of operations, on two cores that test others.
    document = httpx2.get(page.replace("/docs", "/openapi.json"), trust_env=False, timeout=100).json()
    tab.goto(page)
    tab.wait_for_selector(".opblock-tag")
    groups = tab.locator(".opblock-tag").count()
    tab.click("#operations-tag-operations")
    tab.wait_for_selector("#operations-operations-watch_flow")
    tab.click("#operations-operations-request_replay .opblock-summary-control")
    tab.wait_for_selector("text=letters_not_chosen_one_way")
    operations = tab.locator(".opblock").count()
    tab.close()

    assert said == []
    assert groups == len(document["tags"])
    tagged = [operation["tags"] for path in document["paths"].values() for operation in path.values()]
    assert operations == tagged.count(["operations"]) > 5
    assert {url for url in asked if not url.startswith((page.removesuffix("/docs"), "data:"))} == set()


def test_only_its_own_files_are_sent(tmp_path: Path) -> None:
    """No name leads out of the folder; what was not installed is not found, and nothing fails."""
    (tmp_path / "swagger-ui.css").write_text("main {}")
    (tmp_path / "secret.txt").write_text("22")
    client = TestClient(routes_of(SERVICES[0], vendor=tmp_path), raise_server_exceptions=False)
    docs = "/api/activities/docs"

    assert client.get(f"{docs}/swagger-ui.css").text == "main {}"
    assert client.get(docs).headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    for name in ("swagger-ui-bundle.js", "secret.txt", "..%2Fsecret.txt", "%2e%2e/app.py"):
        assert client.get(f"{docs}/{name}").status_code == 404
