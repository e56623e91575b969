"""Makes every kind of document and prints its digest: run as a program, in processes that differ."""

import hashlib
from collections.abc import Iterator

from shared.documents.charts import png_of
from shared.documents.papers import Picture
from shared.documents.rejects import write_rejects
from shared.documents.spreadsheets import write_book
from shared.documents.typesetting import typeset
from tests.shared.documents.files import HEADER, make_xlsx, read_csv, read_xlsx
from tests.shared.documents.papers import make_paper
from tests.shared.documents.test_charts import make_columns, make_waterfall

CSV = "员工编号,分钟,开始\n=cmd,abc,2022-13-40\n"


def documents() -> Iterator[tuple[str, bytes]]:
    """Yield each with its ending."""
    pictures = [Picture("图", make_columns(), "x"), Picture("图", make_waterfall(), "y")]
    paper = make_paper("𠮷 青松", sections=[*make_paper("𠮷 青松").sections, *pictures])
    yield "pdf", typeset(paper)
    yield "xlsx", write_book(paper)
    yield "svg", make_columns().encode()
    yield "png", png_of(make_waterfall())
    yield "csv", write_rejects(read_csv(CSV))
    yield "rejects", write_rejects(read_xlsx(make_xlsx(HEADER, ["=cmd", "abc", "x"])))


if __name__ == "__main__":
    for ending, content in documents():
        print(ending, hashlib.sha256(content).hexdigest())  # noqa: T201  What it is for.
