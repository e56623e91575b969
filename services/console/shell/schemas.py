"""How pages are written: their words in both languages, their templates, and the addresses of what they load."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import TypeAdapter, ValidationError

from services.console.shell.rules import Problem

LANGUAGES = ("zh", "en")
STATIC = "/static"
STATIC_FOLDER = Path(__file__).parents[1] / "static"
MARK_CHARACTERS = 12

Say = Callable[..., str]
Texts = dict[str, dict[str, dict[str, str]]]

_HERE = Path(__file__).parent
_PROBLEM = TypeAdapter(Problem)


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, and what to do next."""

    title: str
    advice: str
    trace_id: str | None = None


class Pages:
    """The pages of one aggregate: its `templates/` and `texts.toml`, and behind them the shell's."""

    def __init__(self, folder: Path) -> None:
        """Read an aggregate's texts."""
        self.texts: Texts = _texts_of(_HERE) | _texts_of(folder)
        self._environment = Environment(
            loader=FileSystemLoader([folder / "templates", _HERE / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"asset": asset, "once": draw}

    def write(self, name: str, *, language: str, **context: object) -> str:
        """Write one page. Raises jinja2.UndefinedError when the template asks for what it did not get."""
        say = self.speaker(language)
        told = {"t": say, "say_known": partial(_say_known, say), "language": language}
        return self._environment.get_template(name).render(told, **context)

    def speaker(self, language: str) -> Say:
        """Return how to say a text of texts.toml, as in `say("fault.down")`, in one language. It raises KeyError."""

        def say(key: str, **facts: object) -> str:
            room, name = key.split(".")
            return self.texts[room][name][language].format(**facts)

        return say


def _say_known(say: Say, key: str, otherwise: str) -> str:
    """Say what an API or an issuer named, as it is when we have no word for it."""
    try:
        return say(key)
    except KeyError:
        return otherwise


def _texts_of(folder: Path) -> Texts:
    return tomllib.loads((folder / "texts.toml").read_text("utf-8"))


def asset(path: str) -> str:
    """Return the address of a file of `static/`; it changes with the file, so browsers may keep it. Raises KeyError."""
    return f"{STATIC}/{path}?v={marks()[path]}"


def draw() -> str:
    """Return what tells one form from all others, so that sending it twice is known as that."""
    return str(uuid4())


@cache
def marks() -> Mapping[str, str]:
    """Return, by path below `static/`, what tells this version of a file from others; read once a process."""
    files = (path for path in STATIC_FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(STATIC_FOLDER).as_posix(): _mark_of(path.read_bytes()) for path in files}


def _mark_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:MARK_CHARACTERS]


PAGES = Pages(_HERE)


def make_notice(
    problem: Problem, *, say: Say, facts: Callable[[Problem], Mapping[str, str]] = lambda _problem: {}
) -> Notice:
    """Say what an API refused, in its own words, and in ours what to do about it."""
    try:
        advice = say(f"advice.{problem.code}", **facts(problem))
    except (KeyError, ValueError, TypeError, OverflowError):
        advice = say("advice.other")  # A code that we do not know, or facts other than it used to bring.
    return Notice(title=problem.title, advice=advice, trace_id=problem.trace_id)


def say_fault(name: str, *, language: str, trace_id: str | None = None) -> Notice:
    """Say what went wrong outside the APIs' refusals, by its name in texts.toml."""
    say = PAGES.speaker(language)
    return Notice(say(f"fault.{name}"), say(f"fault.{name}_advice"), trace_id)


def write_outcome(problem: Problem) -> str:
    """Write a problem for the page that the browser is sent to, as ASCII."""
    return _PROBLEM.dump_json(problem).hex()


def read_outcome(written: str) -> Problem | None:
    """Read what `write_outcome` wrote; None for anything else, as it comes from outside."""
    try:
        return _PROBLEM.validate_json(bytes.fromhex(written)) if written else None
    except (ValueError, ValidationError):
        return None
