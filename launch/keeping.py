"""`docs/retention.md`, made from the table by which timers delete."""

from pathlib import Path

from shared.privacy.kept import TABLE
from shared.privacy.retention import AT_ONCE
from shared.privacy.terms import Kept

PATH = Path(__file__).parents[1] / "docs" / "retention.md"
HEAD = f"""# What is kept for how long · 保存期限

<!-- made by ./popcandy contents from shared/privacy/kept.py -->

Timers delete at night (02:00 to 05:00 in Shanghai, every ten minutes), at most {AT_ONCE:,} rows of a kind in one
transaction; what is left over is the next run's. Each run logs `retention.forgotten` with what it deleted.
`POPCANDY_RETENTION_DAYS='{{"scans": 200}}'` chooses other terms within the bounds; a value outside them, or a name that
has no term, stops the process at its start.

| name | service | what | days (bounds) | why |
|---|---|---|---|---|
"""


def rendered() -> str:
    """Return the document as the code has it now."""
    return HEAD + "".join(_line(kept) for kept in TABLE)


def write() -> Path:
    """Write the document anew and say where it is."""
    PATH.write_text(rendered(), "utf-8")
    return PATH


def _line(kept: Kept) -> str:
    cells = (
        f"`{kept.name}`", kept.service or "each", f"{kept.what.zh}<br>{kept.what.en}", _time(kept),
        f"{kept.why.zh}<br>{kept.why.en}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def _time(kept: Kept) -> str:
    if kept.fixed is not None:
        return f"{kept.fixed.en} · {kept.fixed.zh}"
    term = kept.term
    return "for good · 长期" if term is None else f"{term.days:,} ({term.least:,} to {term.most:,})"
