import gzip
import io
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.work_files import rules
from services.activities.work_files.rules import HEAD_BYTES, MOST_BYTES, MOST_TOGETHER
from tests.activities.sheets import sheet

OFFICE = "application/vnd.openxmlformats-officedocument."


def archive(*names: str) -> bytes:
    """Make a zip with these parts."""
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as parts:
        for name in names:
            parts.writestr(name, "<x/>")
    return file.getvalue()


def media_type_of(content: bytes) -> str | None:
    return rules.media_type_of(content[:HEAD_BYTES], is_whole=len(content) <= HEAD_BYTES)


class TestType:
    @pytest.mark.parametrize(
        ("content", "media_type"),
        [
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "application/pdf"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
            (b"ID3\x04\0\0\0\0\0\0", "audio/mpeg"),
            (b"\xff\xfb\x90\x64\0\0", "audio/mpeg"),
            (b"\0\0\0\x20ftypisom\0\0\2\0", "video/mp4"),
            (b"\0\0\0\x20ftypmp42\0\0\0\0", "video/mp4"),
            (b"\0\0\0\x20ftypM4A \0\0\0\0", "audio/mp4"),
            (archive("photo.png"), "application/zip"),
            (archive("word/notes.txt"), "application/zip"),
            (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), f"{OFFICE}wordprocessingml.document"),
            (archive("[Content_Types].xml", "xl/workbook.xml"), f"{OFFICE}spreadsheetml.sheet"),
            (archive("[Content_Types].xml", "ppt/slides/slide1.xml"), f"{OFFICE}presentationml.presentation"),
            (sheet(VOLUNTEERS, ("E-1", "合成甲"), ending="xlsx"), f"{OFFICE}spreadsheetml.sheet"),
            ("一,二\r\n三,四\r\n".encode(), "text/plain; charset=utf-8"),
            ("\ufeff一,二\n".encode(), "text/plain; charset=utf-8"),
            ("一,二\r\n".encode("gb18030"), "text/plain; charset=gb18030"),
            ("字".encode() * HEAD_BYTES, "text/plain; charset=utf-8"),  # A character is cut by the end of the head.
        ],
    )
    def test_a_file_is_what_its_first_bytes_say(self, content: bytes, media_type: str) -> None:
        """Whatever it is called."""
        assert media_type_of(content) == media_type
        assert media_type in rules.MEDIA_TYPES or media_type.startswith("text/plain")

    @pytest.mark.parametrize(
        "content",
        [
            b"MZ\x90\0\x03\0\0\0",  # Windows programs.
            b"\x7fELF\x02\x01\x01\0",
            b"\xca\xfe\xba\xbe\0\0\0\2",  # Mach-O, and Java classes.
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # Word of 1997, with whatever macros.
            b"Rar!\x1a\x07\x01\0",
            b"7z\xbc\xaf\x27\x1c\0\4",
            gzip.compress(b"x" * 40, mtime=0),
            b"GIF89a\1\0\1\0",
            b"RIFF\x24\0\0\0AVI LIST\0",
            b"\0\0\0\x20ftypheic\0\0\0\0",
            b"PK\5\6" + bytes(18),  # An archive of nothing.
            "文本".encode("utf-16"),
            b"plain\0text",
            b"\x1b[31mred",
            b"caf\xc3",  # Cut in a character, and there is no more.
        ],
    )
    def test_everything_else_is_refused(self, content: bytes) -> None:
        """By a list of what is taken, not of what is not."""
        assert media_type_of(content) is None
        with pytest.raises(rules.WrongFileType) as refused:
            rules.require_type(content[:HEAD_BYTES], size=len(content), field="files.1")
        assert refused.value.facts["field"] == "files.1"


class TestSizes:
    def test_ten_mebibytes_and_thirty_together_are_taken(self) -> None:
        """To the byte."""
        rules.require_sizes([1, MOST_BYTES])
        rules.require_sizes([MOST_BYTES] * 3)
        assert MOST_TOGETHER == 3 * MOST_BYTES == 30 * 1024 * 1024

    def test_nothing_and_too_much_are_refused_by_file(self) -> None:
        """The caller is told which."""
        with pytest.raises(rules.EmptyFile) as empty:
            rules.require_sizes([1, 0])
        with pytest.raises(rules.WorkFileTooLarge) as large:
            rules.require_sizes([1, 1, MOST_BYTES + 1])
        with pytest.raises(rules.WorkFilesTooLarge) as together:
            rules.require_sizes([MOST_BYTES] * 3 + [1])
        assert [each.value.facts["field"] for each in (empty, large, together)] == ["files.1", "files.2", "files"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("稿件.pdf", "稿件.pdf"), (" a b.txt ", "a b.txt"), ("..", "file-3"), (".htaccess", "htaccess"), ("", "file-3")],
)
def test_a_name_is_text_and_never_empty(sent: str, kept: str) -> None:
    """It is shown, and proposed to whoever saves the file."""
    assert rules.kept_name(sent, number=3) == kept


def test_what_is_handed_in_is_the_same_by_its_content() -> None:
    """Pieces, note and files count, in their order."""
    one, two = bytes(32), b"\1" * 32
    known = rules.digest_of(pieces=2, note="n", files=[one, two])
    assert known == rules.digest_of(pieces=2, note="n", files=[one, two])
    others = [(3, "n", [one, two]), (2, "m", [one, two]), (2, "n", [two, one]), (2, "n", [one])]
    assert known not in {rules.digest_of(pieces=pieces, note=note, files=files) for pieces, note, files in others}
