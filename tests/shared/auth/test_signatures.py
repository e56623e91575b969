"""What is signed comes back as ours, and nothing else does."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from shared.auth.signatures import NotOurs, Signatures, WeakSecret, signatures_from, signatures_of

OLD, NEW = "o" * 32, "n" * 32


def test_a_value_comes_back() -> None:
    """As it was, of any JSON kind."""
    ours = Signatures([NEW])

    assert ours.read(ours.sign(["二", 2, None], purpose="cursor"), purpose="cursor") == ["二", 2, None]


def test_a_key_is_replaced_without_breaking_what_is_out_there() -> None:
    """The old one still reads, the new one signs; what the new one signed the old one alone does not know."""
    before, during = Signatures([OLD]), signatures_from(f" {NEW} , {OLD} ")
    kept = before.sign(1, purpose="cursor")

    assert during.read(kept, purpose="cursor") == 1
    with pytest.raises(NotOurs):
        before.read(during.sign(1, purpose="cursor"), purpose="cursor")


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: "x" + text, lambda _text: "", lambda _: "𠮷"])
def test_what_was_tampered_with_is_not_ours(change: object) -> None:
    """Nor what is no signature at all."""
    ours = Signatures([NEW])

    with pytest.raises(NotOurs):
        ours.read(change(ours.sign({"a": 1}, purpose="cursor")), purpose="cursor")  # type: ignore[operator]  # A function.


def test_a_signature_serves_one_purpose() -> None:
    """A page's cursor is no cookie."""
    ours = Signatures([NEW])

    with pytest.raises(NotOurs):
        ours.read(ours.sign(1, purpose="cursor"), purpose="session")


def test_a_signature_may_be_too_old() -> None:
    """If whoever reads it says how old is too old."""
    ours = Signatures([NEW])
    signed = ours.sign(1, purpose="link")

    assert ours.read(signed, purpose="link", most_age=timedelta(hours=1)) == 1
    with pytest.raises(NotOurs):
        ours.read(signed, purpose="link", most_age=timedelta(seconds=-1))


@pytest.mark.parametrize("setting", ["", " , ", "short", f"{NEW},short"])
def test_weak_keys_are_refused(setting: str) -> None:
    """Rather than signed with."""
    with pytest.raises(WeakSecret, match="POPCANDY_SECRETS"):
        signatures_from(setting)


def test_a_folder_has_one_key(tmp_path: Path) -> None:
    """However many ask for it first at once; nobody else may read it."""
    folder, found = tmp_path / "platform", list[Signatures]()
    threads = [threading.Thread(target=lambda: found.append(signatures_of(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    signed = found[0].sign(1, purpose="x")
    assert [each.read(signed, purpose="x") for each in found] == [1] * 4
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
