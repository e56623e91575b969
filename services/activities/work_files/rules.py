"""Which files are taken, as their own first bytes show. Names say nothing, and are kept as text alone.

Signatures: the IANA registrations of the media types, and ISO/IEC 14496-12 for `ftyp`.
"""

import codecs
import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Final

from shared.errors import Invalid, Title

MIB: Final = 1024 * 1024
MOST_FILES: Final = 10
MOST_BYTES: Final = 10 * MIB  # Of one file.
MOST_TOGETHER: Final = 30 * MIB
HEAD_BYTES: Final = 8 * 1024  # What is looked at.

_ZIP = "application/zip"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_BEGINNINGS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", _ZIP),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
)
_FOLDERS: Final = (  # Of the parts of an Office file.
    (b"word/", f"{_OFFICE}wordprocessingml.document"),
    (b"xl/", f"{_OFFICE}spreadsheetml.sheet"),
    (b"ppt/", f"{_OFFICE}presentationml.presentation"),
)
_BRANDS: Final = dict.fromkeys((b"M4A ", b"M4B "), "audio/mp4") | dict.fromkeys(
    (b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash"),
    "video/mp4",
)
_ENCODINGS: Final = ("utf-8", "gb18030")
_BLANKS: Final = frozenset("\t\n\r\f")
MEDIA_TYPES: Final = sorted(
    {media_type for _, media_type in (*_BEGINNINGS, *_FOLDERS)} | {*_BRANDS.values(), "image/webp", "text/plain"}
)


class EmptyFile(Invalid):
    """A file holds nothing."""

    code = "empty_file"
    title = Title(zh="文件为空", en="The file is empty")


class WrongFileType(Invalid):
    """A file's content is none of those that are taken, whatever its name says; `expected` lists these."""

    code = "wrong_file_type"
    title = Title(zh="不支持该文件类型", en="Files of this type are not taken")


class WorkFileTooLarge(Invalid):
    """One file is larger than `most_bytes`."""

    code = "work_file_too_large"
    title = Title(zh="单个文件过大", en="A file is too large")


class WorkFilesTooLarge(Invalid):
    """All files together are larger than `most_bytes`."""

    code = "work_files_too_large"
    title = Title(zh="文件总大小超出限制", en="The files are too large together")


def require_sizes(sizes: Iterable[int]) -> None:
    """Refuse files that are empty or too large, by themselves or together.

    Raises EmptyFile, WorkFileTooLarge, WorkFilesTooLarge; `field` names the file by its place.
    """
    together = 0
    for place, size in enumerate(sizes):
        if not size:
            raise EmptyFile(field=f"files.{place}")
        if size > MOST_BYTES:
            raise WorkFileTooLarge(field=f"files.{place}", most_bytes=MOST_BYTES)
        together += size
    if together > MOST_TOGETHER:
        raise WorkFilesTooLarge(field="files", most_bytes=MOST_TOGETHER)


def require_type(head: bytes, *, size: int, field: str) -> str:
    """Return the media type of a file of `size` bytes by its first HEAD_BYTES. Raises WrongFileType."""
    found = media_type_of(head, is_whole=size <= len(head))
    if found is None:
        raise WrongFileType(field=field, expected=MEDIA_TYPES)
    return found


def media_type_of(head: bytes, *, is_whole: bool) -> str | None:
    """Say what a file is by its first bytes; None for what is not taken."""
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return _in_zip(head) if media_type == _ZIP else media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return _text(head, is_whole=is_whole)


def _in_zip(head: bytes) -> str:
    """Tell an Office file from another archive by the names of its first parts."""
    if b"[Content_Types].xml" in head or b"_rels/" in head:
        return next((media_type for folder, media_type in _FOLDERS if folder in head), _ZIP)
    return _ZIP


def _text(head: bytes, *, is_whole: bool) -> str | None:
    """Say in which encoding a file is text; None if it is not."""
    for encoding in _ENCODINGS:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head, is_whole)
        except UnicodeDecodeError:
            continue
        if all(each in _BLANKS or unicodedata.category(each) != "Cc" for each in text):
            return f"text/plain; charset={encoding}"
    return None


def kept_name(name: str, *, number: int) -> str:
    """Return a name to be kept of a file, whose folders and unseen characters are gone already; never an empty one."""
    return unicodedata.normalize("NFC", name).strip(" .") or f"file-{number}"


def digest_of(*, pieces: int, note: str, files: Iterable[bytes]) -> bytes:
    """Return the hash of all that is handed in at one time, by the hashes of its files; their names do not count."""
    parts = [str(pieces).encode(), hashlib.sha256(note.encode()).digest(), *files]
    return hashlib.sha256(b"\n".join(parts)).digest()
