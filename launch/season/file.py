"""Read a season file: TOML text in, a season that can be synthesised out, or one line that says what is wrong."""

import tomllib
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from launch.season.consistency import checks
from launch.season.form import Season
from shared.errors import Hindrance

_LONGEST_QUOTE = 80
_PLAIN_WORDS = {"be a valid tuple": "be a list", "be an instance of Decimal": "be a number"}  # TOML has neither.


class BadSeason(Hindrance, ValueError):
    """A season file cannot be used; the text is one line: file, key, what was expected and what was found."""

    def __init__(self, name: str, problem: object) -> None:
        super().__init__(" ".join(f"{name}: {problem}".split()))


def read_season(text: str, *, name: str) -> Season:
    """Read a season from TOML text; `name` is what the reader calls the file.

    Raises BadSeason for the first thing that is wrong: not TOML, a key, or a rule of examples/README.md.
    """
    try:
        season = Season.model_validate(_parse(text, name=name))
    except ValidationError as error:
        raise BadSeason(name, _problem(error)) from None
    for check in checks(season):
        if not check.holds:
            raise BadSeason(name, check)
    return season


def _parse(text: str, *, name: str) -> dict[str, Any]:
    """Parse TOML with exact fractions. Raises BadSeason."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:  # Bad TOML, a number past all limits, deep nesting.
        raise BadSeason(name, f"expected TOML, found: {error}") from None


def _problem(refused: ValidationError) -> str:
    """Say in one line what the form of the file refuses first."""
    error = refused.errors()[0]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).removeprefix(".")
    if error["type"] == "missing":
        return f"{key}: expected a value, found nothing"
    if error["type"] == "extra_forbidden":
        return f"{key}: expected only the keys of a season file, found one that is not"
    expected = error["msg"].partition(" should ")[2] or error["msg"]
    expected = _PLAIN_WORDS.get(expected, expected)
    return f"{key}: expected to {expected}, found {_quote(error['input'])}"


def _quote(value: object) -> str:
    """Show a value of the file, shortened."""
    text = str(value) if isinstance(value, Decimal | date) else repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
