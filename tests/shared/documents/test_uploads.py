"""Uploads are cut off at their limit, whatever is sent."""

import io

import pytest

from shared.documents.refusals import FileTooLarge
from shared.documents.sheets import read_sheet
from shared.documents.uploads import Limits, received
from tests.shared.documents.files import COLUMNS

CHUNK_BYTES = 64 * 1024


class Endless(io.RawIOBase):
    """A stream of 200 MB that counts what was read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.left = self.size = 200_000_000

    def read(self, size: int = -1, /) -> bytes:
        taken = min(self.left, size if size >= 0 else self.left)
        self.left -= taken
        return b"x" * taken


@pytest.mark.parametrize("filename", ["a.csv", "a.xlsx"])
def test_a_file_of_200_mb_is_refused_when_the_limit_is_passed(filename: str) -> None:
    """At most the limit and one chunk are read, and never held at once."""
    stream = Endless()
    with pytest.raises(FileTooLarge) as refused:
        read_sheet(stream, filename=filename, columns=COLUMNS)  # type: ignore[arg-type]  # It has all that is used.
    assert refused.value.facts == {"max_bytes": Limits().max_bytes}
    assert stream.size - stream.left <= Limits().max_bytes + CHUNK_BYTES


def test_the_limit_itself_is_taken() -> None:
    """Both sides of the boundary; what was received can be read from its start."""
    with received(io.BytesIO(b"x" * 10), max_bytes=10) as file:
        assert file.read() == b"x" * 10
    with pytest.raises(FileTooLarge), received(io.BytesIO(b"x" * 11), max_bytes=10):
        pass
