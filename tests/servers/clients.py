"""Clients that other people's tools make from our OpenAPI documents: TypeScript types, Python packages."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from launch.asyncapi import text_of
from launch.openapi import documents
from tests.servers import npm

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-clients.lock"
ENVIRONMENT = ROOT / ".venv-clients"
TYPESCRIPT = ROOT / "examples" / "typescript"
PYTHON = ROOT / "examples" / "python"
_SECONDS = 300


class ToolFailed(Exception):
    """A tool did not do what it should; the message is what it said."""


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    """Run a tool and return what it printed. Raises ToolFailed."""
    done = subprocess.run(  # noqa: S603  Tools of our locks.
        list(map(str, command)), cwd=cwd, check=False, capture_output=True, text=True, timeout=_SECONDS,
        env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise ToolFailed(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def python_environment() -> Path:
    """Return the `bin` of the environment that makes and runs Python clients, as its lock says; made when missing.

    It is apart from ours because the generator wants an older typer. Two test workers may want it at once.
    """
    stamp = ENVIRONMENT / "popcandy-lock"
    with LOCK.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = hashlib.sha256(held.read()).hexdigest()
        if not stamp.exists() or stamp.read_text() != wanted:
            run(sys.executable, "-m", "venv", "--clear", "--without-pip", ENVIRONMENT, cwd=ROOT)
            python = ENVIRONMENT / "bin" / "python"
            run(_uv(), "pip", "sync", "--quiet", "--require-hashes", "--python", python, LOCK, cwd=ROOT)
            stamp.write_text(wanted)
    return ENVIRONMENT / "bin"


def write_documents(folder: Path) -> dict[str, Path]:
    """Write the documents as `./popcandy docs openapi` does; return where each service's is."""
    paths = {}
    for name, document in documents():
        paths[name] = folder / f"openapi-{name}.json"
        paths[name].write_text(text_of(document), "utf-8")
    return paths


def make_python(folder: Path) -> Path:
    """Make the Python packages `popcandy_<service>` in a folder beside the example; return where the example is."""
    tools = python_environment()
    for name, path in write_documents(folder).items():
        said = run(
            tools / "openapi-python-client", "generate", "--path", path, "--meta", "none", "--fail-on-warning",
            "--output-path", folder / f"popcandy_{name}", cwd=folder, environment={"PATH": f"{tools}:/usr/bin:/bin"},
        )  # fmt: skip
        if "Unable" in said or "WARNING" in said:
            raise ToolFailed(said)
    return Path(shutil.copy(PYTHON / "donation.py", folder))


def make_typescript(folder: Path) -> Path:
    """Make the types, and compile them with the example in a folder; return the program for node."""
    modules = npm.install(TYPESCRIPT)
    (folder / "node_modules").symlink_to(modules)
    for name in ("donation.ts", "tsconfig.json", "package.json"):
        shutil.copy(TYPESCRIPT / name, folder)
    for name, path in write_documents(folder).items():
        made = folder / "generated" / f"{name}.ts"
        run(modules / ".bin" / "openapi-typescript", "--default-non-nullable=false", path, "-o", made, cwd=folder)
    run(modules / ".bin" / "tsc", cwd=folder)
    return folder / "built" / "donation.js"


def _uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
    if not Path(found).exists():
        raise ToolFailed("uv is missing; ./popcandy installs one")
    return found
