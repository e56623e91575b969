"""`./popcandy dead`: an operator finds what went wrong, has it mended, and tries again."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from launch import cli
from launch.dead import Unclear
from tests.journeys.seeding import FACTS, MENDED, fail, mend, town_in
from tests.launch.commands import Ran, Terminal
from tests.waiting import until

ID = "01800000-0000-7000-8000-000000000001"


class Operator:
    """Somebody who looks after one platform from a terminal."""

    def __init__(self, terminal: Terminal, folder: Path) -> None:
        self.terminal = terminal
        self.folder = folder

    def run(self, *words: object) -> Ran:
        return self.terminal.run("dead", *words, "--data", self.folder)

    def read(self, *words: object) -> str:
        """Run a command for a person: no JSON, and nothing on the side."""
        ran = self.run(*words)
        assert (ran.code, ran.err) == (0, ""), ran
        with pytest.raises(json.JSONDecodeError):
            json.loads(ran.out)
        return ran.out

    def ask(self, *words: object) -> Any:
        return self.run(*words, "--json").json()

    def dead(self, **options: object) -> list[dict[str, Any]]:
        asked = [part for name, value in options.items() for part in (f"--{name}", value)]
        found = self.ask("list", *asked)
        assert found["activities"] == {"items": [], "next": None}
        items: list[dict[str, Any]] = found["ledger"]["items"]
        return items

    def donations(self) -> int:
        found = self.terminal.run("ledger", "donations", "--data", self.folder, "--json").json()
        return len(found["items"])


def outcomes(ran: Ran) -> dict[str, int]:
    replay = json.loads(ran.out)["ledger"]
    return {name: replay[name] for name in ("total", "replayed", "failed", "skipped", "left")}


def seed(operator: Operator) -> None:
    """Bring in the attendance, and wait until the ledger has refused all of it."""
    with town_in(operator.folder) as here:
        fail(here)
    until(lambda: len(operator.dead()) == FACTS, timeout=60, missing=f"{FACTS} dead letters")


def look(operator: Operator) -> str:
    """Find what they died of, in every way there is; return the cause."""
    found = operator.ask("causes")
    (cause,) = found["ledger"]["items"]
    assert (found["activities"]["total"], found["ledger"]["total"], cause["letters"]) == (0, FACTS, FACTS)
    assert (cause["reason"], cause["exception"]) == ("refused", "NoPolicy")
    assert cause["handler"] == "ledger.accrue_donations"
    assert cause["place"].startswith("rules.py:")

    page = operator.ask("list", "--service", "ledger", "--limit", 3)["ledger"]
    rest = operator.ask("list", "--service", "ledger", "--limit", 3, "--cursor", page["next"])["ledger"]
    ids = [each["id"] for each in (*page["items"], *rest["items"])]
    assert (len(set(ids)), rest["next"]) == (FACTS, None)

    letter = operator.ask("show", ids[0])
    assert (letter["service"], letter["state"], letter["body_encoding"]) == ("ledger", "dead", "json")
    assert json.loads(letter["body"])["matchable_minutes"] > 0
    assert letter["headers"]["ce-type"] == "activities.attendance.settled.v1"
    assert "NoPolicy" in letter["stack"]
    assert letter["trace_id"]
    with ThreadPoolExecutor(2) as pool:
        pages = pool.map(lambda words: operator.read(*words), (["list"], ["causes"], ["show", ids[0]], ["replays"]))
    assert all("ledger" in page for page in list(pages)[:3])
    return str(cause["cause"])


@pytest.mark.timeout(600)  # Some twenty processes, one after the other.
def test_what_the_ledger_refused_becomes_a_donation_once_the_policy_is_there(terminal: Terminal, folder: Path) -> None:
    """The season's facts are not lost because finance was late; what cannot be helped is given up, with a reason."""
    operator = Operator(terminal, folder)
    with terminal.up(folder):
        seed(operator)
        cause = look(operator)

        assert operator.ask("replay", "--all", "--preview")["ledger"]["total"] == FACTS
        assert operator.ask("replays") == {"activities": [], "ledger": []}

        too_early = operator.run("replay", "--cause", cause, "--why", "let us see", "--json")
        assert (too_early.code, outcomes(too_early)["failed"]) == (1, FACTS)
        with town_in(folder) as here:
            mend(here)
        ran = operator.run("replay", "--cause", cause, "--why", "the policy is approved", "--rate", 100, "--json")
        assert ran.code == 1  # The first day is without a policy still.
        assert outcomes(ran) == {"total": FACTS, "replayed": MENDED, "failed": 2, "skipped": 0, "left": 0}
        assert operator.donations() == MENDED
        assert terminal.run("ledger", "trial-balance", "--data", folder).code == 0

        left = operator.dead()
        tries = operator.ask("show", left[0]["id"])["replays"]
        assert [(each["outcome"], each["why"]) for each in tries] == [
            ("failed", "the policy is approved"), ("failed", "let us see"),
        ]  # fmt: skip
        assert [each["attempts"] for each in left] == [left[0]["attempts"]] * 2
        give_up(operator, left[0]["id"], terms=["--why", "an example"])

    once_more(operator, left[1])


def give_up(operator: Operator, letter: str, *, terms: list[str]) -> None:
    """Close one letter for good; whoever chooses it again is told, and so is who makes a slip."""
    assert operator.ask("discard", letter, *terms)["ledger"] == {"letters": 1, "released": 0}

    (closed,) = operator.dead(state="discarded")
    assert (closed["id"], closed["closed_why"], bool(closed["closed_by"])) == (letter, "an example", True)
    assert "dead_no_more" in operator.run("discard", letter, *terms).complaint()
    assert "nothing_chosen" in operator.run("replay", "--cause", "nothing", *terms).complaint()
    assert "no service has a dead letter" in operator.run("replay", letter, uuid4(), *terms).complaint()


def once_more(operator: Operator, letter: dict[str, Any]) -> None:
    """Deal with the last on a platform that was stopped: a command runs it for as long as it needs."""
    again = operator.run("replay", letter["id"], "--why", "once more", "--json")
    assert (again.code, outcomes(again)["failed"]) == (1, 1)
    assert operator.ask("discard", "--cause", letter["cause"], "--why", "an example")["ledger"]["letters"] == 1
    assert [each["state"] for each in operator.dead(state="any")].count("dead") == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("replay --why mended", "say which letters"),
        ("replay --all --cause abc --why mended", "say which letters"),
        (f"replay {ID} --all --why mended", "say which letters"),
        (f"replay {ID} --reason refused --why mended", "narrow --all"),
        (f"replay {ID}", "say why"),
        ("replay nonsense --why mended", "'nonsense' is no id"),
        ("replay --all --why mended --service nothing", "none of activities, ledger"),
        (f"discard {ID}", "say why"),
        ("discard --why mended", "say which letters"),
        ("show nonsense", "'nonsense' is no id"),
        ("list --cursor yesterday", "--service"),
    ],
)
def test_what_is_unclear_is_asked_back(folder: Path, words: str, complaint: str) -> None:
    """Before anything is started or changed."""
    found = CliRunner().invoke(cli.app, ["dead", *words.split(), "--data", str(folder)])

    assert isinstance(found.exception, Unclear)
    assert complaint in str(found.exception)
    assert not folder.exists()


@pytest.mark.parametrize("words", ["discard --why mended", "replay --all"])
def test_it_is_asked_back_in_one_line(terminal: Terminal, words: str) -> None:
    """With exit code 2, as every command does."""
    assert "say wh" in terminal.run("dead", *words.split()).complaint()
