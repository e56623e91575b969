"""How much of somebody's file is taken in: every size has a limit, checked before the content is read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from shared.documents.refusals import FileTooLarge

_MIB = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_IN_MEMORY_BYTES = _MIB
MOST_NAME: Final = 200  # Characters of a file's name that are kept.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one import may cost. `max_ratio`, unpacked to packed, counts above one MiB: honest sheets stay below 30."""

    max_bytes: int = 50 * _MIB
    max_unpacked_bytes: int = 256 * _MIB
    max_ratio: int = 100
    max_rows: int = 200_000
    max_columns: int = 50

    def allow_unpacked(self, unpacked: int, *, packed: int) -> bool:
        """Say whether `packed` bytes may become `unpacked` ones."""
        return unpacked <= min(self.max_unpacked_bytes, max(packed * self.max_ratio, _MIB))


@contextmanager
def received(stream: IO[bytes], *, max_bytes: int) -> Iterator[IO[bytes]]:
    """Yield the upload as a file that can be read twice, deleted at the end; above one MiB it lies on disk.

    Reads at most `max_bytes` and one chunk, whatever the sender says its length is. Raises FileTooLarge.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        while chunk := stream.read(_CHUNK_BYTES):
            file.write(chunk)
            if file.tell() > max_bytes:
                raise FileTooLarge(max_bytes=max_bytes)
        file.seek(0)
        yield file


def plain_name(name: str) -> str:
    """Return a file's own name, without folders and without characters that nobody sees; its ending is kept."""
    own = name.replace("\\", "/").rpartition("/")[2]
    return _UNSEEN.sub("", own)[-MOST_NAME:]
