"""What stands in `examples/` works as it is."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.activities.imports.rules import Kind, columns_of
from shared.documents.sheets import read_sheet

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("kind", list(Kind))
def test_example_sheets_are_read_without_an_objection(kind: Kind) -> None:
    """Somebody who starts from an example sheet starts from one that the door takes."""
    path = EXAMPLES / f"{kind}.csv"
    with path.open("rb") as file:
        sheet = read_sheet(file, filename=path.name, columns=columns_of(kind, ZoneInfo("Asia/Shanghai")))
    assert sheet.rejected == []
    assert sheet.rows
