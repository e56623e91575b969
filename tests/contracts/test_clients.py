"""Clients made from the documents: they compile, and say at compile time what a caller got wrong."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.servers import clients

pytestmark = pytest.mark.timeout(900)  # At first need the tools are installed.

WRONG = {
    "another_field": ("capacity: 1 }", "capacities: 1 }"),
    "another_operation": ('sign-ups", at', 'sign-up", at'),
    "another_code": ('"policy_overlap"', '"shift_full"'),
}


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the types and compile them with the example, `strict`."""
    return clients.make_typescript(tmp_path_factory.mktemp("typescript"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clients.make_python(tmp_path_factory.mktemp("python"))


class TestTypeScript:
    def test_compiles(self, typescript: Path) -> None:
        """Whoever writes a front end has types for every call."""
        assert typescript.exists()

    def test_says_what_is_wrong(self, typescript: Path) -> None:
        """A slip is found by the compiler, not by the people of a programme."""
        folder = typescript.parents[1]
        text = (folder / "donation.ts").read_text()
        for name, (right, slip) in WRONG.items():
            assert right in text
            (folder / f"{name}.ts").write_text(text.replace(right, slip))
        options = json.loads((folder / "tsconfig.json").read_text())
        options["include"] = ["*.ts"]
        (folder / "tsconfig.json").write_text(json.dumps(options))

        with pytest.raises(clients.ToolFailed) as said:
            clients.run(folder / "node_modules" / ".bin" / "tsc", "--noEmit", cwd=folder)

        assert set(re.findall(r"^(\w+)\.ts\(\d+,\d+\): error TS", str(said.value), re.MULTILINE)) == set(WRONG)


class TestPython:
    def test_compiles_and_imports(self, python: Path) -> None:
        """Every module of every package, and the example."""
        interpreter = clients.python_environment() / "python"
        everything = (
            "import importlib, pkgutil, popcandy_activities as a, popcandy_ledger as b\n"
            "names = [m.name for p in (a, b) for m in pkgutil.walk_packages(p.__path__, p.__name__ + '.')]\n"
            "[importlib.import_module(name) for name in names]\n"
            "import donation\n"
            "print(len(names))"
        )

        clients.run(interpreter, "-W", "error", "-m", "compileall", "-q", ".", cwd=python.parent)
        assert int(clients.run(interpreter, "-c", everything, cwd=python.parent)) > 150

    def test_is_typed(self, python: Path) -> None:
        """The example holds by the types of the packages that it calls."""
        interpreter = clients.python_environment() / "python"

        said = clients.run(
            sys.executable, "-m", "mypy", "--config-file", "", "--strict", "--follow-imports", "silent",
            "--python-executable", interpreter, "donation.py", cwd=python.parent,
        )  # fmt: skip

        assert "Success" in said
