import pytest

from shared.documents.uploads import MOST_NAME, plain_name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("名单.xlsx", "名单.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\a.pdf", "a.pdf"),
        ("/a/b/", ""),
        ("a\0.pdf", "a.pdf"),
        ("a\r\nx: y.pdf", "ax: y.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("x" * 300 + ".pdf", "x" * (MOST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_has_no_folder_and_nothing_unseen(sent: str, kept: str) -> None:
    """It is text to be shown, and leads nowhere; its ending is kept."""
    assert plain_name(sent) == kept
