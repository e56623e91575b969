"""Whether a stored sheet holds a text, whatever kind of file it is."""

import csv
import io
import re
from collections.abc import Collection
from html import unescape
from zipfile import ZipFile, is_zipfile

from shared.privacy.naming import names_any

_CELL = re.compile(r"<t(?:\s[^>]*)?>([^<]*)</t>")  # Its text alone: E1 is also a cell's address.


def holds_any(content: bytes, texts: Collection[str]) -> bool:
    """Say whether a sheet that we wrote (CSV in UTF-8, or XLSX) names one of the texts, as a cell or words of one."""
    return any(names_any(cell, texts) for cell in _cells(content))


def _cells(content: bytes) -> list[str]:
    file = io.BytesIO(content)
    if not is_zipfile(file):
        return _cells_of_csv(content.decode("utf-8-sig", errors="replace"))
    with ZipFile(file) as parts:
        pages = (parts.read(name).decode(errors="replace") for name in parts.namelist() if name.endswith(".xml"))
        return [unescape(cell) for page in pages for cell in _CELL.findall(page)]


def _cells_of_csv(text: str) -> list[str]:
    try:
        return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    except csv.Error:  # A cell is too long for the reader.
        return [text]
