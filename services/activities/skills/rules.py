"""What a catalogue of skills may hold, and which of it a person may name. Source: DOMAIN.md section 4, "Volunteer"."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from shared.errors import Conflict, Invalid, Title

MOST_SKILLS = 200  # In one programme's catalogue, those no longer offered too.


class CatalogueFull(Conflict):
    """The programme has as many skills as it may have."""

    code = "catalogue_full"
    title = Title(zh="技能目录已满", en="The catalogue of skills is full")


class UnknownSkill(Invalid):
    """A skill is named that the programme does not offer."""

    code = "unknown_skill"
    title = Title(zh="技能目录中没有此技能，或已停用", en="The catalogue has no such skill, or offers it no longer")


def require_room(*, count: int) -> None:
    """Refuse one more skill than there may be. Raises CatalogueFull."""
    if count >= MOST_SKILLS:
        raise CatalogueFull(most=MOST_SKILLS)


def require_offered(codes: Sequence[str], *, offered: Mapping[str, bool], had: Collection[str] = ()) -> None:
    """Refuse codes that are not offered; what somebody `had` before it was retired they keep. Raises UnknownSkill.

    `offered` says of each code of the catalogue whether it may be chosen now; the refusal names `places`, not texts.
    """
    unknown = [
        place for place, code in enumerate(codes) if not (offered.get(code) or (code in offered and code in had))
    ]
    if unknown:
        raise UnknownSkill(field="skills", places=unknown)


def folded(word: str) -> str:
    """Return a word as it is compared: without outer space, case and width."""
    return unicodedata.normalize("NFKC", word).strip().casefold()


def as_codes(words: Iterable[str], codes: Mapping[str, str]) -> tuple[str, ...]:
    """Return each word once, in order of the alphabet, by its code where one has it; `codes` are by folded names."""
    return tuple(sorted({codes.get(folded(word), word.strip()) for word in words} - {""}))
