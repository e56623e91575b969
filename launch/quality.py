"""`check`, `test`, `bench` and `lock`: what a developer and CI run."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import Hindrance

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
CODE = ("launch", "services", "shared", "tests")
BENCHMARKS = (
    "boards",
    "chain",
    "check-in",
    "growth",
    "latency",
    "ledger",
    "quick",
    "relay",
    "season",
    "sign-up",
    "start",
)
PASS_ON = {"ignore_unknown_options": True}  # What a command's own parameters do not name is among its arguments.
HEADER = "# Made by ./popcandy lock; names and hashes only, so that any mirror serves it.\n"
CHECKS = {
    "ruff check": [str(BIN / "ruff"), "check", "--quiet", *CODE],
    "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet", *CODE],
    "mypy": [str(BIN / "mypy")],
    "import-linter": [str(BIN / "lint-imports"), "--no-logo"],
    "deptry": [str(BIN / "deptry"), "."],
    "shellcheck": [str(BIN / "shellcheck"), "popcandy", ".ci/run"],
}


@dataclass(frozen=True)
class Checked:
    """How one check went."""

    name: str
    passed: bool
    seconds: float
    output: str


def check() -> None:
    """Lint, type-check and hold the structure; everything but the tests."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(_run, CHECKS))
    for result in results:
        typer.echo(f"{'ok  ' if result.passed else 'FAIL'} {result.name:<14} {result.seconds:5.1f} s")
    for result in results:
        if not result.passed:
            typer.echo(f"\n--- {result.name}\n{result.output}", err=True)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def test(arguments: Annotated[list[str] | None, typer.Argument(help="What pytest takes, options too.")] = None) -> None:
    """Run the tests over a real PostgreSQL and a real RabbitMQ; missing infrastructure fails."""
    workers = ["-n", str(min((os.cpu_count() or 1) + 1, 4))]  # One more: tests wait for servers and processes a lot.
    command = [sys.executable, "-m", "pytest", *workers, *(arguments or [])]
    raise typer.Exit(subprocess.run(command, check=False, cwd=ROOT).returncode)  # noqa: S603  Our own tests.


def bench(
    arguments: Annotated[
        list[str] | None, typer.Argument(help=f"{', '.join(BENCHMARKS)}; --json, --repeat N; see tests/bench.")
    ] = None,
) -> None:
    """Measure how fast we are beside our peers, in an environment that has them."""
    command = [sys.executable, "-m", "tests.bench", *(arguments or [])]
    raise typer.Exit(subprocess.run(command, check=False, cwd=ROOT).returncode)  # noqa: S603  Our own benchmarks.


def lock() -> None:
    """Resolve every requirement anew into the hashed locks."""
    uv = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
    if not Path(uv).exists():
        raise Hindrance("uv is missing; start ./popcandy once without a global uv to have one installed")
    _compile(uv, "requirements.lock", "pyproject.toml")
    _compile(uv, "requirements-dev.lock", "pyproject.toml", "--group", "dev", "-c", "requirements.lock")
    _compile(uv, "requirements-bench.lock", "pyproject.toml", "--group", "bench", "-c", "requirements.lock")
    _compile(uv, "requirements-npm.lock", "requirements-npm.in")
    _compile(uv, "requirements-clients.lock", "--group", "clients")


def _compile(uv: str, target: str, *sources: str) -> None:
    options = [
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--upgrade",
    ]
    command = [uv, "pip", "compile", *options, "--quiet", *sources]
    found = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)  # noqa: S603  Our own lock.
    (ROOT / target).write_text(HEADER + found.stdout)
    typer.echo(f"{target}: {found.stdout.count('==')} packages")


def _run(name: str) -> Checked:
    begun = time.monotonic()
    found = subprocess.run(  # noqa: S603  Our own tools.
        CHECKS[name], check=False, cwd=ROOT, capture_output=True, text=True
    )
    return Checked(name, found.returncode == 0, time.monotonic() - begun, found.stdout + found.stderr)
