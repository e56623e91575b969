"""What a profile may say. Source: DOMAIN.md section 4, "Volunteer"; limits are ours."""

import re
from collections.abc import Iterable, Sequence

from shared.errors import Invalid, Title

MOST_SKILLS, MOST_LANGUAGES = 30, 10  # Of one person.
MOST_CHARACTERS = 80  # Of a department or a city.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")  # BCP 47, as far as people use it: zh, en, yue, zh-Hant.


class UnknownLanguage(Invalid):
    """A language is not written by its code."""

    code = "unknown_language"
    title = Title(zh="语言请填写代码，如 zh、en、yue", en="Languages are written by their codes, as zh, en, yue")


def tidy(words: Iterable[str]) -> list[str]:
    """Return each word once, in order of the alphabet, so that equal profiles are written alike."""
    return sorted(set(words))


def together(first: Sequence[str], second: Sequence[str], *, most: int) -> list[str]:
    """Return the words of both, those of the first before others if they are too many."""
    return tidy([*first, *(word for word in second if word not in first)][:most])


def is_language(code: str) -> bool:
    """Say whether a text is written like the code of a language."""
    return _LANGUAGE.fullmatch(code) is not None


def require_languages(codes: Sequence[str]) -> None:
    """Refuse what is no code of a language. Raises UnknownLanguage."""
    unknown = [place for place, code in enumerate(codes) if not is_language(code)]
    if unknown:
        raise UnknownLanguage(field="languages", places=unknown)
