"""The command line: what can be asked, by whom, and what a slip of the fingers costs."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click
import pytest
import typer
from typer.testing import CliRunner

from launch import cli
from shared import clock
from shared.auth.callers import Caller, NotAuthenticated
from shared.auth.keys import key_store
from shared.auth.tokens import TokenVerifier
from shared.roles import Role
from shared.settings import Settings
from tests.launch.commands import Ran, Terminal
from tests.launch.conftest import Played

PERSON, PROGRAMME, PARTNER = (UUID(f"01800000-0000-7000-8000-00000000000{digit}") for digit in "123")

NOWHERE = "postgresql://us:sesame@127.0.0.1:1/x"


def commands(group: object = None, *path: str) -> Iterator[tuple[str, ...]]:
    """Return every command there is, as its words."""
    group = typer.main.get_command(cli.app) if group is None else group
    for name, command in getattr(group, "commands", {}).items():
        yield (*path, name)
        yield from commands(command, *path, name)


def caller_of(ran: Ran, folder: Path) -> Caller:
    """Verify a printed token as a service that runs apart does: by the folder's `jwks.json`."""
    assert ran.code == 0, ran.err
    store = key_store(str(folder / "jwks.json"))
    store.refresh()
    settings = Settings()
    verifier = TokenVerifier(store, issuer=settings.issuer, audience=settings.audience)
    return verifier.verify(ran.out.strip(), now=clock.now())


@pytest.mark.parametrize("words", [(), *commands()], ids=" ".join)
def test_each_command_explains_itself(words: tuple[str, ...]) -> None:
    """In a sentence, under the name by which it is called."""
    found = CliRunner().invoke(cli.app, [*words, "--help"], prog_name="./popcandy")

    assert found.exit_code == 0
    assert " ".join(("./popcandy", *words)) in click.unstyle(found.output)


def test_there_are_the_commands_that_the_readme_speaks_of() -> None:
    """The list is part of the promise."""
    names = {" ".join(words) for words in commands()}

    assert {
        "up", "demo", "serve", "migrate", "token", "doctor", "check", "test", "lock", "queues", "broker define",
        "broker check", "dead list", "dead show", "dead causes", "dead replay", "dead replays", "dead discard",
        "tasks list", "tasks show", "certificate verify",
        "report season", "ledger waterfall", "ledger donations", "ledger explain",
        "ledger balances", "ledger trial-balance", "docs asyncapi", "docs openapi",
    } <= names  # fmt: skip


@pytest.mark.parametrize("words", ["-m cluster --co -q tests/faults", "-- -m cluster --co -q tests/faults"])
def test_options_of_pytest_reach_it(terminal: Terminal, words: str) -> None:
    """With their values and in their order, behind `--` or not."""
    ran = terminal.run("test", *words.split())

    found = [line.partition("::")[0] for line in ran.out.splitlines() if "::" in line]
    assert (ran.code, set(found)) == (0, {"tests/faults/test_cluster.py"})


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["up", "--port", "65536"],
        ["up", "--port", "-1"],
        ["up", "--port", "http"],
        ["demo", "--console-port", "70000"],
        ["serve", "nothing"],
        ["serve", "ledger", "--role", "cook"],
        ["token"],
        ["token", "--role", "emperor"],
        ["token", "--role", "ops", "--programme", "ours"],
        ["token", "--role", "ops", "--person", "me"],
        ["ledger", "donations", "--limit", "0"],
        ["ledger", "donations", "--limit", "201"],
        ["ledger", "fly"],
    ],
    ids=" ".join,
)
def test_a_slip_of_the_fingers_changes_nothing(words: list[str]) -> None:
    """Exit code 2 and what was wrong, before anything is started."""
    found = CliRunner().invoke(cli.app, words, prog_name="./popcandy")

    assert (found.exit_code, found.stdout) == (2, "")
    complaint = click.unstyle(found.stderr)
    assert words[-1] in complaint or "--" in complaint


@pytest.mark.parametrize(
    ("words", "settings", "names"),
    [
        ("serve ledger", {}, "POPCANDY_DATABASE_URL is not set"),
        ("serve activities --role worker", {"DATABASE_URL": NOWHERE}, "POPCANDY_SECRETS is not set"),  # It takes lists.
        ("serve activities --role relay", {"DATABASE_URL": NOWHERE}, "cannot be reached"),
        ("migrate", {"DATABASE_URL": NOWHERE}, "cannot be reached"),
        ("migrate", {"DATABASE_URL": "nonsense"}, "not of the form"),
        ("broker define", {}, "POPCANDY_AMQP_MANAGEMENT_URL is not set"),
        ("broker check", {}, "POPCANDY_AMQP_MANAGEMENT_URL is not set"),
        ("broker check", {"AMQP_MANAGEMENT_URL": "http://us:sesame@127.0.0.1:1"}, "127.0.0.1:1 does not answer"),
        ("broker define", {"AMQP_PASSWORDS": '{"ledger": sesame}'}, "POPCANDY_AMQP_PASSWORDS"),
        ("queues", {"POOL_SIZE": "many"}, "POPCANDY_POOL_SIZE"),
        ("ledger balances --data /nowhere", {}, "no platform here yet"),
        ("ledger balances --url http://127.0.0.1:1 --token x", {}, "no answer from http://127.0.0.1:1"),
        ("ledger balances --url http://127.0.0.1:1", {}, "--token"),
        ("up --data /dev/null/platform", {}, "cannot use /dev/null/platform"),
        ("token --role ops --data /nowhere", {"ENVIRONMENT": "production"}, "popcandy"),
    ],
)
def test_what_hinders_a_command_is_one_line(
    terminal: Terminal, words: str, settings: dict[str, str], names: str
) -> None:
    """And exit code 2; never a traceback, never a password."""
    ran = terminal.run(*words.split(), **{f"POPCANDY_{name}": value for name, value in settings.items()})

    assert names in ran.complaint()
    assert "sesame" not in ran.err


class TestToken:
    def test_says_what_was_asked_for(self, terminal: Terminal, played: Played) -> None:
        """Roles, programme, person and partner, verified by the folder's public keys."""
        caller = caller_of(
            terminal.run(
                "token", "--data", played.folder, "--role", "partner", "--role", "volunteer",
                "--programme", PROGRAMME, "--person", PERSON, "--partner", PARTNER,
            ),
            played.folder,
        )  # fmt: skip

        assert caller == Caller(PERSON, PROGRAMME, frozenset({Role.PARTNER, Role.VOLUNTEER}), PARTNER)

    def test_is_for_somebody_new_in_the_platforms_programme(self, terminal: Terminal, played: Played) -> None:
        """Unless told; two tokens are two people."""
        callers = [
            caller_of(terminal.run("token", "--data", played.folder, "--role", "ops"), played.folder) for _ in range(2)
        ]

        assert {str(caller.programme_id) for caller in callers} == {(played.folder / "programme").read_text()}
        assert len({caller.person_id for caller in callers}) == 2

    def test_does_not_exist_in_production(self, terminal: Terminal, played: Played) -> None:
        """There, people sign in at a real identity provider."""
        ran = terminal.run("token", "--data", played.folder, "--role", "ops", POPCANDY_ENVIRONMENT="production")

        assert "POPCANDY_JWKS" in ran.complaint()

    def test_is_for_people(self, terminal: Terminal, played: Played) -> None:
        """A service gets its own from the issuer, with its own secret."""
        ran = terminal.run("token", "--data", played.folder, "--role", "service")

        assert ran.code == 2
        assert "'service' is none of admin, auditor" in ran.err


class TestKeys:
    def test_are_rotated_without_signing_anybody_out(self, terminal: Terminal, played: Played) -> None:
        """What the old key signed is good while it is published, which is until the next rotation but one."""
        before = terminal.run("token", "--data", played.folder, "--role", "ops")
        rotated = terminal.run("keys", "rotate", "--data", played.folder)
        after = terminal.run("token", "--data", played.folder, "--role", "ops")
        published = json.loads((played.folder / "jwks.json").read_text())["keys"]

        assert rotated.out.strip() == published[0]["kid"]
        assert len(published) == 2
        assert caller_of(before, played.folder).roles == caller_of(after, played.folder).roles == {Role.OPS}
        assert (played.folder / "issuer-key.json").stat().st_mode & 0o777 == 0o600

        terminal.run("keys", "rotate", "--data", played.folder)
        with pytest.raises(NotAuthenticated, match="unknown_key"):
            caller_of(before, played.folder)

    def test_are_not_rotated_in_production(self, terminal: Terminal, played: Played) -> None:
        """There are none of ours there."""
        ran = terminal.run("keys", "rotate", "--data", played.folder, POPCANDY_ENVIRONMENT="production")

        assert "does not run in production" in ran.complaint()


class TestDoctor:
    def test_is_content_where_a_platform_can_live(self, terminal: Terminal) -> None:
        """What is not set up for `serve` is said, and is no illness."""
        ran = terminal.run("doctor")

        assert ran.code == 0
        assert "✗" not in ran.out
        assert "POPCANDY_DATABASE_URL" in ran.out

    @pytest.mark.parametrize(
        "settings",
        [
            {"POPCANDY_DATABASE_URL": "postgresql://us:sesame@127.0.0.1:1/x"},
            {"POPCANDY_DATABASE_URL": "nonsense"},
            {"POPCANDY_AMQP_URL": "amqp://us:sesame@127.0.0.1:1/bus"},
        ],
        ids=str,
    )
    def test_finds_what_is_set_and_does_not_answer(self, terminal: Terminal, settings: dict[str, str]) -> None:
        """With how to get it, exit code 1, and the rest of what it found."""
        ran = terminal.run("doctor", **settings)

        assert ran.code == 1
        assert f"✗  {next(iter(settings))}" in ran.out
        assert "embedded PostgreSQL" in ran.out
        assert "sesame" not in ran.out + ran.err
