"""How Chinese is read, without tones, as people type it: 重庆 is chong, qing."""

import re
from functools import lru_cache
from typing import Final

MOST_KNOWN: Final = 4_096  # Texts that come again, as places, partners, and what is repeated each week.
_SYLLABLE: Final = re.compile("[a-z]+")


@lru_cache(MOST_KNOWN)
def syllables(text: str) -> tuple[str, ...]:
    """Return the syllables of a Chinese text, by its phrases and else by each character's commonest reading.

    What has no reading is left out; ü is written v.
    """
    from pypinyin import lazy_pinyin  # noqa: PLC0415  Its phrases take 60 MB, of processes that read alone.

    return tuple(each for each in lazy_pinyin(text, errors="ignore") if _SYLLABLE.fullmatch(each))
