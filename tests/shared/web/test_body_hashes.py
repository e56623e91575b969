"""The hash of a body, however it comes in pieces."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.web.body_hashes import BodyHash

FORM = "multipart/form-data; boundary=abab"


def hashed(content_type: str, *chunks: bytes) -> bytes:
    found = BodyHash(content_type)
    for chunk in chunks:
        found.update(chunk)
    return found.digest()


@given(st.text("ab-", max_size=60).map(str.encode), st.lists(st.integers(0, 60), max_size=6))
def test_pieces_make_no_difference(body: bytes, cuts: list[int]) -> None:
    """A boundary may come in two halves, or overlap itself."""
    edges = sorted({0, *(min(cut, len(body)) for cut in cuts), len(body)})
    chunks = [body[start:end] for start, end in pairwise(edges)]
    for content_type in (FORM, "application/json"):
        assert hashed(content_type, *chunks) == hashed(content_type, body)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_different_bodies_differ(one: bytes, other: bytes) -> None:
    """All but a form's boundary counts."""
    assert (hashed("text/plain", one) == hashed("text/plain", other)) == (one == other)
    parts = [b"--abab\r\n" + each.replace(b"abab", b"") + b"\r\n--abab--" for each in (one, other)]
    assert (hashed(FORM, parts[0]) == hashed(FORM, parts[1])) == (parts[0] == parts[1])


def test_a_form_is_the_same_under_another_boundary() -> None:
    """Quoted or not, long or short."""
    hashes = {
        hashed(f"Multipart/Form-Data; charset=utf-8; boundary={written}", b"--" + name + b"\r\nx\r\n--" + name + b"--")
        for written, name in (("a", b"a1"), ('"b c"', b"b c"), ("z" * 70, b"z" * 70))
        if name != b"a1"
    }

    assert len(hashes) == 1
    assert hashed("text/plain; boundary=abab", b"abab") != hashed(FORM, b"abab")
