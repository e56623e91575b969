"""`./popcandy tasks`: what a person at the keyboard sees of the work."""

from pathlib import Path
from uuid import uuid4

from launch.embedded import EmbeddedPlatform
from shared import bus
from shared.settings import Settings
from tests.launch.commands import Terminal

PRINT = bus.Task("ledger.print_statement")


def test_runs_are_listed_and_shown(terminal: Terminal, folder: Path) -> None:
    """Found in whichever service has them; what is not there is said in one line."""
    platform = EmbeddedPlatform(folder, Settings())
    try:
        platform.start()
        database = platform.server.open("ledger", pool_size=1)
        with database.transaction() as tx:
            first, second = bus.task_all(tx, PRINT, [["April"], ["May"]])
        database.close()

        found = terminal.run("tasks", "list", "--data", folder, "--json").json()
        assert [item["id"] for item in found["ledger"]["items"]] == [str(second), str(first)]
        assert found["activities"] == {"items": [], "next": None}
        page = terminal.run("tasks", "list", "--data", folder, "--service", "ledger", "--limit", 1)
        assert str(second) in page.out
        assert "more: --service ledger --cursor" in page.out
        behind = ("--service", "ledger", "--cursor", page.out.split()[-1])
        rest = terminal.run("tasks", "list", "--data", folder, *behind, "--json").json()
        assert [item["id"] for item in rest["ledger"]["items"]] == [str(first)]
        assert terminal.run("tasks", "list", "--data", folder, "--state", "failed", "--json").json() == {
            "activities": {"items": [], "next": None}, "ledger": {"items": [], "next": None},
        }  # fmt: skip

        shown = terminal.run("tasks", "show", first, "--data", folder, "--json").json()
        assert (shown["task"], shown["arguments"]) == ("ledger.print_statement", '["April"]')
        assert "ledger.print_statement" in terminal.run("tasks", "show", first, "--data", folder).out
        missing = uuid4()
        complaint = terminal.run("tasks", "show", missing, "--data", folder).complaint()
        assert complaint == f"popcandy: no service knows a run {missing}"
    finally:
        platform.stop()


def test_a_place_in_a_list_goes_with_its_service(terminal: Terminal, folder: Path) -> None:
    """Each service has runs of its own."""
    ran = terminal.run("tasks", "list", "--data", folder, "--cursor", "x")

    assert ran.code == 2
    assert "--service" in ran.err
