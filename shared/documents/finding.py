"""Whether a stored sheet holds a text, whatever kind of file it is."""

import io
import re
from collections.abc import Collection
from html import unescape
from zipfile import ZipFile, is_zipfile

_CELL = re.compile(r"<t(?:\s[^>]*)?>([^<]*)</t>")  # Its text alone: E1 is also a cell's address.


def holds_any(content: bytes, texts: Collection[str]) -> bool:
    """Say whether a sheet that we wrote (CSV in UTF-8, or XLSX) holds one of the texts, be it in part of a cell."""
    wanted = {form for text in texts if text for form in (text, text.replace('"', '""'))}
    return any(text in part for part in _parts(content) for text in wanted)


def _parts(content: bytes) -> list[str]:
    file = io.BytesIO(content)
    if not is_zipfile(file):
        return [content.decode("utf-8-sig", errors="replace")]
    with ZipFile(file) as parts:
        pages = (parts.read(name).decode(errors="replace") for name in parts.namelist() if name.endswith(".xml"))
        return [unescape(cell) for page in pages for cell in _CELL.findall(page)]
