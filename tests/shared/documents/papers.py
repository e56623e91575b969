"""Papers for tests: one of everything, with whatever text a test is about."""

from datetime import UTC, date, datetime
from typing import Any

from shared.documents.papers import Cell, Column, Count, Facts, Fen, Minutes, Paper, Reference, Table

ISSUED = datetime(2022, 6, 2, 4, 0, tzinfo=UTC)


def make_table(*rows: tuple[Cell, ...], **overrides: Any) -> Table:
    values: dict[str, Any] = {
        "title": "明细",
        "columns": [Column("编号", 4), Column("名称", 4), Column("日期", 3), Column("金额", 3, is_figure=True)],
        "rows": rows,
    }
    return Table(**values | overrides)


def make_row(number: int, name: str = "青松社区") -> tuple[Cell, ...]:
    return Reference(f"01800000-0000-7000-8000-{number:012}"), name, date(2022, 6, 1), Fen(number * 12_345)


def make_paper(text: str = "青松社区", **overrides: Any) -> Paper:
    """Make a small paper with `text` wherever text can stand."""
    values: dict[str, Any] = {
        "title": f"说明 {text}",
        "language": "zh",
        "programme": text,
        "reference": "R-1",
        "issued_at": ISSUED,
        "period": text,
        "trace": "0af7651916cd43dd8448eb211c80319c",
        "sections": [
            Facts("概要", [("参与人次", Count(12_345)), ("时长", Minutes(125)), ("备注", text), (text, "值")]),
            make_table(make_row(1, text), total=("合计", text, None, Fen(12_345)), note=text, title=text),
        ],
    }
    return Paper(**values | overrides)
