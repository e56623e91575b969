"""Whether what is kept names somebody: by a whole word, for E100 is not E1000 and 22 is no day of a month."""

import json
import re
from collections.abc import Collection, Iterator
from uuid import UUID

import orjson

_FIGURES = re.compile(
    r"[\d\s:/.,+\-TZ]*"
)  # Instants, times and amounts are figures: they name as a whole or not at all.


def names_any(value: str, texts: Collection[str]) -> bool:
    """Say whether a cell or a sentence holds one of the texts, beside which no letter and no digit stands."""
    if value in texts:
        return bool(value)
    held = [text for text in texts if text and text in value]
    return bool(held) and not _is_figure(value) and any(re.search(_bounded(text), value) for text in held)


def spellings(texts: Collection[str]) -> set[bytes]:
    """Return how JSON may write the texts; what holds none of these names nobody, and need not be read."""
    return {
        spelling for text in texts if text for spelling in (orjson.dumps(text)[1:-1], json.dumps(text)[1:-1].encode())
    }


def holds_any(document: bytes, texts: Collection[str]) -> bool:
    """Say whether a JSON document, or failing that a text, names one of the texts anywhere."""
    if not any(spelling in document for spelling in spellings(texts)):
        return False
    try:
        read = orjson.loads(document)
    except orjson.JSONDecodeError:
        read = document.decode(errors="replace")
    return any(names_any(value, texts) for value in strings(read))


def strings(read: object) -> Iterator[str]:
    """Yield the texts of what was read from JSON, without its members' names: those are ours."""
    if isinstance(read, str):
        yield read
    elif isinstance(read, list | dict):
        for part in read.values() if isinstance(read, dict) else read:
            yield from strings(part)


def _bounded(text: str) -> str:
    return rf"(?<![^\W_]){re.escape(text)}(?![^\W_])"


def _is_figure(value: str) -> bool:
    if _FIGURES.fullmatch(value):
        return True
    try:
        UUID(value)
    except ValueError:
        return False
    return True
