"""Commands that ask: of a platform that is stopped, by its folder; of one that runs, by its folder and by its URL."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.launch.commands import Terminal, Up, copy_of
from tests.launch.conftest import Played
from tests.servers.postgres import open_folder

ASKING = (
    "ledger waterfall", "ledger donations", "ledger balances", "ledger trial-balance", "queues", "dead list",
    "report season",
)  # fmt: skip


@pytest.fixture(scope="module")
def up(terminal: Terminal, played: Played) -> Iterator[Up]:
    """A running copy of the platform on which the season was played."""
    with open_folder() as parent, terminal.up(copy_of(played.folder, parent / "platform")) as platform:
        yield platform


@pytest.mark.long
def test_a_stopped_platform_answers_from_its_folder(terminal: Terminal, played: Played) -> None:
    """Each command starts it for as long as it asks; the figures are those that the demo printed."""

    def ask(words: str) -> Any:
        return terminal.run(*words.split(), "--data", played.folder, "--json").json()

    answers = {words: ask(words) for words in ASKING}
    waterfall, donations = answers["ledger waterfall"], answers["ledger donations"]["items"]
    facts = played.facts

    assert waterfall["participations"] == facts["participations"]
    assert waterfall["credited_minutes"] == facts["credited_minutes"]
    assert waterfall["accrued"] == {"currency": "CNY", "fen": facts["accrued_fen"]}
    assert len(donations) == 20
    assert answers["ledger trial-balance"]["balanced"] is True
    owed = [item["balance"]["fen"] for item in answers["ledger balances"]["items"] if item["account"].startswith("2")]
    assert -sum(owed) == facts["accrued_fen"]
    assert [flow["service"] for flow in answers["queues"]] == ["activities", "ledger"]
    assert all(flow["outbox"] == flow["queue_ready"] == flow["dead_letters"] == 0 for flow in answers["queues"])
    assert all(page == {"items": [], "next": None} for page in answers["dead list"].values())
    assert answers["report season"].items() <= facts.items()

    explained = ask(f"ledger explain {donations[0]['id']}")
    assert explained["donation"]["amount"] == donations[0]["amount"]
    assert explained["explanation"]


@pytest.mark.parametrize("way", ["folder", "url"])
def test_a_running_platform_tells_the_same_story(terminal: Terminal, up: Up, played: Played, way: str) -> None:
    """Whether it is found by its folder or named by its URL."""
    token = terminal.run("token", "--data", up.folder, "--role", "auditor", "--role", "ops").out.strip()
    options = ("--data", up.folder) if way == "folder" else ("--url", up.api_url, "--token", token)

    assert terminal.run("report", "season", *options, "--json").json().items() <= played.facts.items()
    flows = terminal.run("queues", *options, "--json").json()
    assert [flow["consumers"] for flow in flows if flow["service"] == "ledger"] == [1]


def test_pages_of_donations_hold_each_once(terminal: Terminal, up: Up, played: Played) -> None:
    """Whoever adds them up by hand comes to the same sum."""
    amounts: dict[str, int] = {}
    behind: list[str] = []
    while True:
        page = terminal.run("ledger", "donations", "--data", up.folder, "--limit", 16, *behind, "--json").json()
        amounts |= {item["id"]: item["amount"]["fen"] for item in page["items"]}
        if not page["next"]:
            break
        behind = ["--cursor", page["next"]]

    assert sum(amounts.values()) == played.facts["accrued_fen"]
    assert len(amounts) >= played.facts["participations"]


def test_people_get_tables(terminal: Terminal, up: Up) -> None:
    """Without --json, in words; several may ask at once."""
    shown = ("ledger donations", "ledger waterfall", "queues", "report season")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda words: terminal.run(*words.split(), "--data", up.folder), shown))

    for words, ran in zip(shown, answers, strict=True):
        assert (ran.code, ran.err) == (0, ""), words
        assert ran.out.strip(), words
        with pytest.raises(json.JSONDecodeError):
            json.loads(ran.out)


def test_what_the_platform_refuses_is_one_line(terminal: Terminal, up: Up) -> None:
    """With the code of the refusal."""
    ran = terminal.run("ledger", "explain", "01800000-0000-7000-8000-000000000001", "--data", up.folder)

    assert "not_found" in ran.complaint()


def test_a_token_that_may_not_is_one_line(terminal: Terminal, up: Up) -> None:
    """A volunteer does not read the books."""
    token = terminal.run("token", "--data", up.folder, "--role", "volunteer").out.strip()

    for given, code in ((token, "missing_permission"), ("nonsense", "not_authenticated")):
        assert code in terminal.run("ledger", "balances", "--url", up.api_url, "--token", given).complaint()


def test_an_address_of_something_else_is_one_line(terminal: Terminal, httpserver: HTTPServer) -> None:
    """A page of the console's, say."""
    httpserver.expect_request("/api/ledger/balances").respond_with_data("<html>", content_type="text/html")
    ran = terminal.run("ledger", "balances", "--url", httpserver.url_for(""), "--token", "x")

    assert "no Popcandy" in ran.complaint()
