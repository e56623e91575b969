"""The project's own source files, parsed."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("launch", "services", "shared")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """Return the Python files below folders, as paths from the root."""
    found = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(path for path in found if "__pycache__" not in path.parts))


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text("utf-8"))


def nodes(*folders: str) -> Iterator[tuple[Path, ast.AST]]:
    """Walk through every module below folders."""
    for module in modules(*folders):
        for node in ast.walk(tree_of(module)):
            yield module, node


def functions(module: Path) -> Iterator[Function]:
    """Return every function of a module, nested ones too."""
    return (node for node in ast.walk(tree_of(module)) if isinstance(node, Function))


def is_migration(module: Path) -> bool:
    return "migrations" in module.parts


def place(module: Path, node: ast.AST) -> str:
    return f"{module}:{getattr(node, 'lineno', 0)}"
