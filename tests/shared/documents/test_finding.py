import pytest

from shared.documents.finding import holds_any
from shared.documents.rejects import write_rejects
from tests.shared.documents.files import HEADER, make_xlsx, read_csv, read_xlsx

NAMES = ("E<1>&", 'O"Neil', "𠮷野")
ROWS = [(name, "x") for name in NAMES]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_whoever_stands_in_a_reject_file_is_found(kind: str) -> None:
    """Whatever the file format makes of the name; others are not."""
    if kind == "csv":
        quoted = "\n".join('"{}",x'.format(name.replace('"', '""')) for name in NAMES)
        content = write_rejects(read_csv(f"员工编号,分钟\n{quoted}\n"))
    else:
        content = write_rejects(read_xlsx(make_xlsx(HEADER[:2], *ROWS)))

    for name in NAMES:
        assert holds_any(content, ["nobody", name])
    assert not holds_any(content, ["nobody", "E<2>&"])


def test_no_text_is_found_nowhere() -> None:
    """An empty name must not make every file one that names somebody."""
    assert not holds_any("员工编号\n".encode(), ["", ""])
