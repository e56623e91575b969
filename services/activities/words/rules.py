"""By which words a text is found, and what somebody looks for. See docs/decisions/0058-search.md.

PostgreSQL takes no Chinese text apart, and its trigrams know ASCII alone in the locale C. So we say what the lexemes of
a text are: every two characters that stand side by side, with their place, and of Latin letters whole words. Of Chinese
there is besides how it is read, from each syllable on: whoever looks for it begins with some syllable.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

VERSION: Final = 1  # Of these rules with readings. What was made by others is made again.
UNREAD: Final = 0  # Of what is not read yet.
DESCRIBED: Final = 120  # Characters of a description that are looked at.
LONGEST: Final = 12  # Letters of a word; what is longer is told from others by its beginning.
MOST_ASKED: Final = 10  # Words that somebody looks for at once; each costs a look-up.
_BETWEEN: Final = 2  # Places that lie between two runs, lest one go on in the next.
_RUNS: Final = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")  # Latin words, and runs of other letters.

Read = Callable[[str], Sequence[str]]  # The syllables of a run of Chinese, without tones: 重庆 is chong, qing.


@dataclass(frozen=True, slots=True)
class Texts:
    """What of a listing can be found: its names, as title, city, place and partner, and what is said about it."""

    names: tuple[str, ...]
    about: str = ""


def vector(texts: Texts, *, read: Read | None = None) -> str:
    """Write the lexemes of texts as a `tsvector`; with `read` also how Chinese is read.

    Initials stand there for names alone: of a description almost any two of them would be found.
    """
    runs = [(run, is_name) for text, is_name in _parts(texts) for run in _runs(text)]
    found: dict[str, list[int]] = {}
    place = 1
    for run, is_name in runs:
        if run.isascii():
            found.setdefault(run[:LONGEST], [])
            continue
        for offset in range(len(run)):
            found.setdefault(run[offset : offset + 2], []).append(place + offset)
        place += len(run) + _BETWEEN
        for reading in _readings(read(run), with_initials=is_name) if read else ():
            found.setdefault(reading, [])
    return " ".join(_lexeme(word, places) for word, places in found.items())


def query(asked: str) -> str:
    """Write what somebody looks for as a `tsquery`: all of it has to be there. Empty if it holds no letter or digit.

    Of many words the first count. Latin letters are the beginning of a word, of a reading or of initials; other letters
    stand side by side somewhere.
    """
    return " & ".join(_sought(run) for run in list(dict.fromkeys(_runs(asked)))[:MOST_ASKED])


def _parts(texts: Texts) -> Iterator[tuple[str, bool]]:
    yield from ((name, True) for name in texts.names)
    yield texts.about[:DESCRIBED], False


def _runs(text: str) -> list[str]:
    """Take a text apart; case, width, accents and tone marks are folded away."""
    plain = unicodedata.normalize("NFKD", text.replace("\x00", " "))
    return _RUNS.findall("".join(each for each in plain if not unicodedata.combining(each)).casefold())


def _readings(syllables: Sequence[str], *, with_initials: bool) -> Iterator[str]:
    for start in range(len(syllables)):
        spelt = "".join(syllables[start : start + LONGEST])[:LONGEST]
        yield spelt
        if "v" in spelt:  # As keyboards write ü; others write u.
            yield spelt.replace("v", "u")
        if with_initials:
            yield "".join(each[0] for each in syllables[start : start + LONGEST])


def _lexeme(word: str, places: Sequence[int]) -> str:
    return f"'{word}':{','.join(map(str, places))}" if places else f"'{word}'"


def _sought(run: str) -> str:
    if run.isascii():
        return f"'{run[:LONGEST]}':*"
    if len(run) == 1:
        return f"'{run}':*"
    pairs = (f"'{run[start : start + 2]}'" for start in range(len(run) - 1))
    return f"({' <-> '.join(pairs)})"
