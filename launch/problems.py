"""The catalogue of problems, made from the code: every code that an API may answer, and when."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import services
import shared
from shared.errors import Refusal, Title
from shared.web.problems import BY_STATUS, INTERNAL, INVALID_INPUT, status_of

PAGE = Path(__file__).parents[1] / "docs" / "problems.md"
OURS = ("services", "shared")
HEAD = """# Problems

Made from the code by `./popcandy contents`; a test compares. Which of these an operation may answer, its OpenAPI
document lists (`./popcandy docs openapi`).

An answer that says no is `application/problem+json` (RFC 9457): `code` is stable and for programs, `title` for people,
in Chinese or English by `Accept-Language`; `facts` are those of the case, `errors` name fields, `trace_id` is what
operators ask for.

| code | status | title | when |
|---|---|---|---|
"""
BY_HTTP = {
    400: "The body cannot be read: broken UTF-8, nested too deep, a broken form.",
    405: "The address does not know this method; `Allow` lists those that it knows.",
    408: "The body came too slowly.",
    413: "The body is larger than any door takes; `facts.most_bytes`.",
    415: "The body is of another media type; `facts.expected`.",
    422: "Fields are missing, of the wrong type or out of bounds; `errors` names each.",
    500: "Something is wrong on our side; nothing of it is shown.",
    503: "The database, the broker or the keys cannot be reached; `Retry-After` says when to try again.",
}


def page() -> str:
    """Return the catalogue as the code has it now."""
    return HEAD + "".join(sorted({*_of_refusals(), *_of_http()}))


def write() -> str:
    """Write the catalogue; return where."""
    PAGE.write_text(page(), "utf-8")
    return str(PAGE.relative_to(PAGE.parents[1]))


def refusals() -> set[type[Refusal]]:
    """Import everything of ours and return each refusal that is declared in it."""
    for package in (services, shared):
        for module in walk_packages([str(Path(next(iter(package.__path__))))], f"{package.__name__}."):
            if ".migrations" not in module.name:
                import_module(module.name)
    return {kind for kind in _descendants(Refusal) if kind.__module__.partition(".")[0] in OURS}


def _descendants(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in kind.__subclasses__():
        yield each
        yield from _descendants(each)


def _of_refusals() -> Iterator[str]:
    for kind in refusals():
        yield _row(kind.code, status_of(kind), kind.title, " ".join((kind.__doc__ or "").split()))


def _of_http() -> Iterator[str]:
    rows = {**BY_STATUS, 422: ("invalid_input", INVALID_INPUT), 500: ("internal_error", INTERNAL)}
    for status, (code, title) in rows.items():
        if status in BY_HTTP and code != "not_found":  # Not found has a refusal of its own.
            yield _row(code, status, title, BY_HTTP[status])


def _row(code: str, status: int, title: Title, when: str) -> str:
    return f"| `{code}` | {status} | {title.zh} · {title.en} | {when.replace('|', '/')} |\n"
