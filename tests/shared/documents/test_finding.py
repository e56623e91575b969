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


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_who_has_a_longer_number_is_somebody_else(kind: str) -> None:
    """A number is a whole word: E100 is not E1000, and 22 is no part of a date; in a sentence it is found."""
    rows = [("E1000", "2022-06-22 22:22"), ("E7", "see E8, E9")]
    if kind == "csv":
        content = write_rejects(read_csv("员工编号,分钟\n" + "".join(f'{a},"{b}"\n' for a, b in rows)))
    else:
        content = write_rejects(read_xlsx(make_xlsx(HEADER[:2], *rows)))

    assert not any(holds_any(content, [text]) for text in ("E100", "100", "22", "1000"))
    assert all(holds_any(content, [text]) for text in ("E1000", "E8", "E9", "2022-06-22 22:22"))


def test_a_cell_too_long_for_a_reader_is_searched_all_the_same() -> None:
    """An erasure does not fail for it."""
    content = f"员工编号\n{'x' * 200_000} E1\n".encode()
    assert holds_any(content, ["E1"])
    assert not holds_any(content, ["E2"])


def test_no_text_is_found_nowhere() -> None:
    """An empty name must not make every file one that names somebody."""
    assert not holds_any("员工编号\n".encode(), ["", ""])
