"""Rows out of a CSV, whatever Excel or a person made of it: encoding and delimiter are found, never asked for."""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO, Final

from shared.documents.cells import Cell
from shared.documents.refusals import BrokenQuotes, CellTooLong, NotASheet

_DELIMITERS: Final = ",;\t"
_SNIFFED_CHARS: Final = 64 * 1024
_CHUNK_BYTES: Final = 256 * 1024
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_SIGNATURES: Final = {
    b"%PDF-": "pdf",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
    b"PK\x03\x04": "zip or xlsx",
    b"\xd0\xcf\x11\xe0": "xls, or a workbook with a password",
    b"\x1f\x8b": "gzip",
    b"Rar!": "rar",
    b"7z\xbc\xaf": "7z",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_WIDE = re.compile("[\u0800-\ufffc]")
_BINARY = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff]")


def kind_of(content: bytes) -> str:
    """Say what the first bytes of a file show it to be, for the person who sent the wrong one."""
    return next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), "unknown")


def read_csv(file: IO[bytes]) -> Generator[tuple[int, list[Cell]], None, None]:
    """Yield each record with its number, from 1, as Excel shows it: a line break in quotes is inside its row.

    The file is read piece by piece and never held whole. Raises NotASheet when the content is not text in UTF-8 or
    GB18030, BrokenQuotes where quotes do not pair up, CellTooLong where one cell goes on and on.
    """
    encoding = _encoding_of(file)
    delimiter = _delimiter(_start_of(file, encoding))
    with _text_of(file, encoding) as text:
        records = csv.reader(text, delimiter=delimiter, strict=True)
        number = 0
        try:
            for number, record in enumerate(records, start=1):
                yield number, list[Cell](record)
        except csv.Error as error:
            if "field limit" in str(error):
                raise CellTooLong(row=number + 1, max_characters=csv.field_size_limit()) from None
            raise BrokenQuotes(row=number + 1) from None


@contextmanager
def _text_of(file: IO[bytes], encoding: str) -> Iterator[io.TextIOWrapper]:
    """Read a file as text from its beginning, and leave it open at the end."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield text
    finally:
        text.detach()


def _start_of(file: IO[bytes], encoding: str) -> str:
    with _text_of(file, encoding) as text:
        return text.read(_SNIFFED_CHARS)


def _encoding_of(file: IO[bytes]) -> str:
    """Tell UTF-8, with a byte order mark or without, from GB18030, as Excel writes it in China. Raises NotASheet."""
    found = kind_of(next(_chunks(file), b""))
    if found == "unknown" and not any(b"\0" in chunk for chunk in _chunks(file)):
        if _decodes(file, "utf-8"):
            return "utf-8-sig"
        if _is_damaged_utf8(file):
            found = "damaged utf-8"
        elif _decodes(file, "gb18030"):
            return "gb18030"
        else:
            found = "neither utf-8 nor gb18030"
    raise NotASheet(expected="csv", found=found)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _decoded(file: IO[bytes], encoding: str, errors: str) -> Iterator[str]:
    """Decode a file piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    yield from (decoder.decode(chunk) for chunk in _chunks(file))
    yield decoder.decode(b"", final=True)


def _decodes(file: IO[bytes], encoding: str) -> bool:
    """Say whether all of a file is text in an encoding; almost any bytes are characters of GB18030."""
    try:
        return not any(encoding == "gb18030" and _BINARY.search(text) for text in _decoded(file, encoding, "strict"))
    except UnicodeDecodeError:
        return False


def _is_damaged_utf8(file: IO[bytes]) -> bool:
    """Tell UTF-8 with some bad bytes from GB18030, which would take it for other characters without a word."""
    damaged = wide = 0
    for text in _decoded(file, "utf-8", "replace"):
        damaged += text.count("\ufffd")
        wide += len(_WIDE.findall(text))
    return next(_chunks(file), b"").startswith(_UTF8_BOM) or wide > damaged


def _delimiter(text: str) -> str:
    """Choose the delimiter that stands most often in the header outside quotes; at a tie the first of `,` `;` TAB."""
    bare = re.sub('"[^"]*"', "", text).lstrip("\r\n")
    header = re.split("[\r\n]", bare, maxsplit=1)[0]
    return max(_DELIMITERS, key=header.count)
