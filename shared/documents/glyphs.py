"""Which characters the packaged typeface can show, and what stands for the others.

PDF/A forbids the empty box that a missing character leaves: typst would refuse the whole document over one emoji in a
name. So each text is gone through first, and nothing gets lost: who has the code can look the character up.
"""

import re
import struct
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

FAMILY: Final = "Noto Sans SC"
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # Of variants of the character before.
_SPACES: Final = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
_PLATFORM_UNICODE: Final = (0, 3)
_GROUPED: Final = 12  # The format of a character map that reaches beyond U+FFFF (OpenType, "cmap").
_LONG_RUN: Final = re.compile("[^\\s\u2e80-\U0003ffff]{25,}")  # Chinese may break anywhere; what is longer has to.
_PIECE: Final = re.compile(".{8}")
_BREAK: Final = "\u200b"


@lru_cache(maxsize=1)
def folder() -> Path:
    """Return the folder of the packaged typefaces."""
    from pylopdf_fonts_zh_cn import sans_path  # noqa: PLC0415  Loaded by whoever makes a document.

    return sans_path().parent


@lru_cache(maxsize=1)
def covered() -> frozenset[int]:
    """Return the code points that the typeface has a glyph for."""
    font = (folder() / "NotoSansSC-Regular.otf").read_bytes()
    return frozenset(_characters(font, _table(font, b"cmap")))


def _table(font: bytes, wanted: bytes) -> int:
    """Find where a table of an OpenType font begins."""
    (count,) = struct.unpack_from(">H", font, 4)
    places = (struct.unpack_from(">4s4xL", font, 12 + 16 * index) for index in range(count))
    return next(int(offset) for tag, offset in places if tag == wanted)


def _characters(font: bytes, cmap: int) -> Iterator[int]:
    """Read the character map: groups of code points that have glyphs."""
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    for index in range(count):
        platform, _, offset = struct.unpack_from(">HHL", font, cmap + 4 + 8 * index)
        (form,) = struct.unpack_from(">H", font, cmap + offset)
        if platform in _PLATFORM_UNICODE and form == _GROUPED:
            (groups,) = struct.unpack_from(">L", font, cmap + offset + 12)
            for group in range(groups):
                first, last, _ = struct.unpack_from(">LLL", font, cmap + offset + 16 + 12 * group)
                yield from range(first, last + 1)
            return


def showable(text: str) -> str:
    """Write `[U+20BB7]` for a character without a glyph; marks that cannot be seen are left out, breaks are spaces.

    Left out as well are marks that turn the direction of writing: an amount must read as it is.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in unicodedata.normalize("NFC", text))


def is_replaced(text: str) -> bool:
    """Say whether `showable` writes a code for some character of a text."""
    return any(_shown(character).startswith("[U+") for character in unicodedata.normalize("NFC", text))


def _shown(character: str) -> str:
    if character in _SPACES:
        return " "
    if unicodedata.category(character) == "Cf" or _SELECTORS.match(character):
        return ""
    if ord(character) in covered():
        return character
    return f"[U+{ord(character):04X}]"


def breakable(text: str) -> str:
    """Mark where a long run without spaces may break, by U+200B, so that it stays within its column.

    The template breaks there and leaves the mark out; `showable` lets none of anybody else's through.
    """
    return _LONG_RUN.sub(lambda run: _PIECE.sub(rf"\g<0>{_BREAK}", run[0]), text)


def storable(text: str) -> str:
    """Put U+FFFD for what no file of text can hold: NUL and other controls, halves of surrogate pairs."""
    if text.isprintable():
        return text
    return "".join(
        "\ufffd" if unicodedata.category(each) in {"Cc", "Cs"} and each not in "\t\n" else each for each in text
    )
