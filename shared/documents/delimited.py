"""Rows out of a CSV, whatever Excel or a person made of it: encoding and delimiter are found, never asked for."""

import csv
import io
import re
from collections.abc import Iterator
from typing import IO, Final

from shared.documents.cells import Cell
from shared.documents.refusals import BrokenQuotes, NotASheet

_DELIMITERS: Final = ",;\t"
_SNIFFED_CHARS: Final = 64 * 1024
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
_BINARY = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff]")


def kind_of(content: bytes) -> str:
    """Say what the first bytes of a file show it to be, for the person who sent the wrong one."""
    return next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), "unknown")


def read_csv(file: IO[bytes]) -> Iterator[tuple[int, list[Cell]]]:
    """Yield each record with its number, from 1, as Excel shows it: a line break in quotes is inside its row.

    Raises NotASheet when the content is not text in UTF-8 or GB18030, BrokenQuotes where quotes do not pair up.
    """
    text = _decoded(file.read())
    records = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 0
    try:
        for number, record in enumerate(records, start=1):
            yield number, list[Cell](record)
    except csv.Error:
        raise BrokenQuotes(row=number + 1) from None


def _decoded(content: bytes) -> str:
    """Decode UTF-8, with a byte order mark or without, else GB18030, as Excel writes it in China. Raises NotASheet."""
    found = kind_of(content)
    if found == "unknown" and b"\0" not in content:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            found = "damaged utf-8"
        if not _is_damaged_utf8(content):
            return _decoded_gb18030(content)
    raise NotASheet(expected="csv", found=found)


def _is_damaged_utf8(content: bytes) -> bool:
    """Tell UTF-8 with some bad bytes from GB18030, which would take it for other characters without a word."""
    text = content.decode(errors="replace")
    damaged = text.count("\ufffd")
    return content.startswith(_UTF8_BOM) or len(re.findall("[\u0800-\ufffc]", text)) > damaged


def _decoded_gb18030(content: bytes) -> str:
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = "\0"
    if _BINARY.search(text):
        raise NotASheet(expected="csv", found="neither utf-8 nor gb18030")
    return text


def _delimiter(text: str) -> str:
    """Choose the delimiter that stands most often in the header outside quotes; at a tie the first of `,` `;` TAB."""
    bare = re.sub('"[^"]*"', "", text[:_SNIFFED_CHARS]).lstrip("\r\n")
    header = re.split("[\r\n]", bare, maxsplit=1)[0]
    return max(_DELIMITERS, key=header.count)
