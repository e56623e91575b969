"""The zip around a workbook, taken apart before any other reader sees it.

What a workbook's reader is given is a copy made here, with the few parts that it needs: sizes are checked before
anything is unpacked and hold whatever the directory of the zip claims, no part is there twice, and each byte of XML has
passed by.
"""

import posixpath
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import IO, Final
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from shared.documents.refusals import NotASheet, UnpacksTooLarge
from shared.documents.uploads import Limits

_CHUNK_BYTES: Final = 64 * 1024
_ENCRYPTED: Final = 0x1
_UNREADABLE = (BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError)

Attributes = dict[str, str]


class Package:
    """A workbook's zip, opened for reading within `limits`."""

    def __init__(self, file: IO[bytes], *, limits: Limits) -> None:
        """Read the zip's directory alone. Raises NotASheet, UnpacksTooLarge."""
        try:
            self._zip = ZipFile(file)
        except _UNREADABLE:
            raise broken("zip") from None
        self._limits = limits
        self._parts = {_canonical(info): info for info in self._zip.infolist()}
        if len(self._parts) != len(self._zip.infolist()):
            raise broken("zip with a part twice")

    def has(self, name: str) -> bool:
        """Say whether there is such a part."""
        return name.casefold() in self._parts

    def require_room(self, names: list[str]) -> None:
        """Refuse parts that together unpack to more than the limits allow. Raises NotASheet when one is missing."""
        parts = [self._part(name) for name in names]
        unpacked, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
        if not self._limits.allow_unpacked(unpacked, packed=packed):
            raise UnpacksTooLarge(max_bytes=self._limits.max_unpacked_bytes, max_ratio=self._limits.max_ratio)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a part's bytes, never more than its stated size, and check their sum at the end. Raises NotASheet."""
        part = self._part(name)
        try:
            with self._zip.open(part) as source:
                while chunk := source.read(_CHUNK_BYTES):
                    yield chunk
        except _UNREADABLE:
            raise broken("damaged zip") from None

    def _part(self, name: str) -> ZipInfo:
        part = self._parts.get(name.casefold())
        if part is None or part.flag_bits & _ENCRYPTED or part.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise broken(f"zip without a readable {posixpath.basename(name)}")
        return part


def _canonical(info: ZipInfo) -> str:
    return info.filename.replace("\\", "/").casefold()


def broken(found: str) -> NotASheet:
    """Make the refusal of a file that is no workbook, with what it is instead."""
    return NotASheet(expected="xlsx", found=found)


class Markup:
    """A part's XML, fed in chunks: an element's attributes go to `starts`, all of its text to `texts` at its end.

    Both go by local name; prefixes are dropped, as the workbook's reader drops them. A document type is refused: no
    workbook has one, and its entities grow.
    """

    def __init__(
        self,
        starts: Mapping[str, Callable[[Attributes], None]],
        texts: Mapping[str, Callable[[str], None]] = MappingProxyType({}),
    ) -> None:
        self._starts, self._texts, self._names = starts, texts, starts.keys() | texts.keys()
        self._pieces: list[str] | None = None
        self._parser = parser = expat.ParserCreate(encoding="utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = self._refuse
        if texts:
            parser.EndElementHandler = self._end
            parser.CharacterDataHandler = self._text

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """Read on. Raises NotASheet where this is not XML."""
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError:
            raise broken("zip with damaged xml") from None

    def _start(self, name: str, attributes: Attributes) -> None:
        if name not in self._names:
            name = name.rpartition(":")[2]
        if name in self._texts:
            self._pieces = []
        if start := self._starts.get(name):
            start(attributes)

    def _text(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)

    def _end(self, name: str) -> None:
        if self._pieces is None:
            return
        if text := self._texts.get(name.rpartition(":")[2]):
            text("".join(self._pieces))
            self._pieces = None

    def _refuse(self, *_: object) -> None:
        raise broken("xml with a document type")
