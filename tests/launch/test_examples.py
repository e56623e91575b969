"""What stands in `examples/` works as it is."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.activities.main import imports
from shared.documents.sheets import read_sheet

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("kind", imports().kinds)
def test_example_sheets_are_read_without_an_objection(kind: str) -> None:
    """Somebody who starts from an example sheet starts from one that the door takes."""
    path = EXAMPLES / f"{kind}.csv"
    with path.open("rb") as file:
        sheet = read_sheet(file, filename=path.name, columns=imports().kinds[kind].columns(ZoneInfo("Asia/Shanghai")))
    assert sheet.rejected == []
    assert sheet.rows
