"""Papers as PDF: tagged PDF/A-2b with the packaged typeface embedded, set by typst.

A template sees the files that it is given and nothing else: no folder, no font of this machine, no package, no clock.
What is set comes in as JSON and is shown as text. Setting cannot be interrupted, so what goes in is bounded.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Final, cast

from shared.documents import glyphs, wording
from shared.documents.papers import Cell, Facts, Language, Paper, Picture, Reference, Section, Space, Table
from shared.errors import Invalid, Title, TooMany

if TYPE_CHECKING:
    from typst import Fonts

MEDIA_TYPE: Final = "application/pdf"
MOST_CELLS: Final = 6_000  # 1,000 rows of six.
MOST_CHARS: Final = 200_000
MOST_CHARS_IN_CELL: Final = 500
_TEMPLATES: Final = Path(__file__).parent / "templates"
AT_ONCE: Final = BoundedSemaphore(2)
WAIT_SECONDS: Final = 10
_REGIONS: Final = {"zh": "cn", "en": "gb"}
_WORDS: Final = {
    "zh": {
        "programme": "项目",
        "period": "期间",
        "reference": "编号",
        "issued_at": "出具时间",
        "trace": "追溯号",
        "page": "第 {page} 页，共 {pages} 页",
        "nothing": "（无）",
        "replaced": "[U+…] 代表字体中没有的字符，括号内为其 Unicode 编码。",
    },
    "en": {
        "programme": "Programme",
        "period": "Period",
        "reference": "Reference",
        "issued_at": "Issued at",
        "trace": "Trace",
        "page": "Page {page} of {pages}",
        "nothing": "(none)",
        "replaced": "[U+…] stands for a character that the typeface lacks, by its Unicode code point.",
    },
}


class TooLongToSet(Invalid):
    """A document would have more than `most_cells` cells or `most_chars` characters."""

    code = "too_long_to_set"
    title = Title(zh="内容过多，无法生成 PDF，请缩小范围", en="Too much for one PDF: ask for less")


class StillSetting(TooMany):
    """Other documents are being set; try again after `retry_after` seconds."""

    code = "still_setting"
    title = Title(zh="正在生成其他文件，请稍后再试", en="Other documents are being made: try again shortly")


def typeset(paper: Paper) -> bytes:
    """Set a paper in the house style. Equal papers give equal bytes. Raises TooLongToSet, StillSetting."""
    _require_bounded(paper)
    pictures = {
        _file_of(place): section.svg.encode()
        for place, section in enumerate(paper.sections)
        if isinstance(section, Picture)
    }
    return compile_template("paper.typ", {"paper": _told(paper)}, files=pictures, issued_at=paper.issued_at)


def compile_template(
    template: str, values: Mapping[str, object], *, files: Mapping[str, bytes], issued_at: datetime
) -> bytes:
    """Set a template of this folder; each of `values` is JSON in `sys.inputs`, `files` lie beside the template.

    Raises StillSetting when two others are set for ten seconds.
    """
    import typst  # noqa: PLC0415  Only who makes a PDF loads it: 60 MB, and the typeface.

    given = {name: json.dumps(value) for name, value in values.items()}  # ASCII: no character can trouble the way.
    sources = {"main.typ": (_TEMPLATES / template).read_bytes(), **files}
    if not AT_ONCE.acquire(timeout=WAIT_SECONDS):
        raise StillSetting(retry_after=WAIT_SECONDS)
    try:
        return typst.compile(
            cast("Any", sources),  # Its types know of one file only.
            format="pdf",
            root=_TEMPLATES,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs=given,
            pdf_standards=["a-2b"],
            package_path=_TEMPLATES,
            package_cache_path=_TEMPLATES,
            timestamp=int(issued_at.timestamp()),
        )
    finally:
        AT_ONCE.release()


@lru_cache(maxsize=1)
def _fonts() -> "Fonts":
    from typst import Fonts  # noqa: PLC0415  See above.

    return Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(glyphs.folder())])


def _require_bounded(paper: Paper) -> None:
    rows = sum(len(each.rows) * len(each.columns) for each in paper.sections if isinstance(each, Table))
    pairs = sum(len(each.pairs) * 2 for each in paper.sections if isinstance(each, Facts))
    if rows + pairs > MOST_CELLS:
        raise TooLongToSet(most_cells=MOST_CELLS)


def _file_of(place: int) -> str:
    return f"picture-{place}.svg"


class _Pen:
    """Writes cells as text that can be set, and remembers whether a character had to be replaced."""

    def __init__(self, language: Language, timezone: str) -> None:
        self._language: Language = language
        self._timezone = timezone
        self._left = MOST_CHARS
        self.has_replaced = False

    def write(self, cell: Cell) -> str:
        """Write one value; a reference is left whole: it breaks at its hyphens, if at all. Raises TooLongToSet."""
        text = wording.written(cell, self._language, self._timezone)
        if len(text) > MOST_CHARS_IN_CELL:
            text = f"{text[:MOST_CHARS_IN_CELL]}…"
        shown = glyphs.showable(text)
        self.has_replaced = self.has_replaced or (shown != text and glyphs.is_replaced(text))
        self._left -= len(shown)
        if self._left < 0:
            raise TooLongToSet(most_chars=MOST_CHARS)
        return shown if isinstance(cell, Reference) else glyphs.breakable(shown)


def _told(paper: Paper) -> dict[str, object]:
    """Write a paper as what the template reads: text, and where it goes."""
    pen, words = _Pen(paper.language, paper.timezone), _WORDS[paper.language]
    head: dict[str, Cell] = {
        "programme": paper.programme,
        "period": paper.period,
        "reference": Reference(paper.reference),
        "issued_at": paper.issued_at,
        "trace": paper.trace,
    }
    told: dict[str, object] = {
        "title": pen.write(Reference(paper.title)),
        "reference": pen.write(Reference(paper.reference)),
        "keywords": [pen.write(Reference(paper.reference)), *paper.keywords],
        "foot": f"Popcandy · {words['issued_at']} {pen.write(paper.issued_at)}",
        "head": [(words[name], pen.write(value)) for name, value in head.items() if value],
        "sections": [_section(section, place, pen) for place, section in enumerate(paper.sections)],
    }
    setting = {"family": glyphs.FAMILY, "lang": paper.language, "region": _REGIONS[paper.language], "words": words}
    return told | setting | {"replaced": pen.has_replaced}


def _section(section: Section, place: int, pen: _Pen) -> dict[str, object]:
    title = pen.write(section.title)
    match section:
        case Facts():
            rows = [(pen.write(name), pen.write(value)) for name, value in section.pairs]
            return {"kind": "facts", "title": title, "rows": rows}
        case Picture():
            return {
                "kind": "picture",
                "title": title,
                "file": _file_of(place),
                "says": pen.write(Reference(section.says)),
                "percent": section.percent,
            }
        case Space(millimetres=millimetres):
            return {"kind": "space", "title": title, "millimetres": millimetres}
        case Table():
            return {"kind": "table", "title": title, **_table(section, pen)}


def _table(table: Table, pen: _Pen) -> dict[str, object]:
    columns = [
        {
            "heading": pen.write(column.heading),
            "share": column.share,
            "figure": column.is_figure,
            "small": any(isinstance(row[place], Reference) for row in table.rows),
        }
        for place, column in enumerate(table.columns)
    ]
    total = None if table.total is None else [pen.write(cell) for cell in table.total]
    rows = [[pen.write(cell) for cell in row] for row in table.rows]
    return {"columns": columns, "rows": rows, "total": total, "note": pen.write(table.note)}
