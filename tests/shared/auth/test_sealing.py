import threading
from pathlib import Path

import pytest

from shared.auth.sealing import Seals, seals_from, seals_of
from shared.auth.signatures import NotOurs, WeakSecret

OLD, NEW = "an old secret of thirty-two characters", "a new secret of thirty-two characters"


def test_what_is_sealed_is_read_again_and_by_nobody_else() -> None:
    """Neither its content nor that it is the same as another's can be seen."""
    ours = Seals([NEW])
    sealed = ours.seal(b"a token", purpose="session")

    assert ours.open(sealed, purpose="session") == b"a token"
    assert sealed != ours.seal(b"a token", purpose="session")
    assert sealed.replace("-", "").replace("_", "").isalnum()
    with pytest.raises(NotOurs):
        Seals([OLD]).open(sealed, purpose="session")


def test_keys_are_rotated_without_losing_anybody() -> None:
    """The first seals, all of them open."""
    before, during, after = Seals([OLD]), seals_from(f" {NEW} , {OLD} "), Seals([NEW])
    sealed = before.seal(b"x", purpose="p")

    assert during.open(sealed, purpose="p") == b"x"
    assert after.open(during.seal(b"y", purpose="p"), purpose="p") == b"y"


def test_a_seal_is_for_one_purpose() -> None:
    """A sign-in that was begun is no session."""
    ours = Seals([NEW])

    with pytest.raises(NotOurs):
        ours.open(ours.seal(b"x", purpose="attempt"), purpose="session")


@pytest.mark.parametrize("spoiled", ["", "a", "AAAA", "AAAAAAAAAAAAAAAAAAAA", "ü", "a b", "=" * 40, "A" * 5_000])
def test_what_is_not_ours_is_refused(spoiled: str) -> None:
    """Cookies come from outside."""
    with pytest.raises(NotOurs):
        Seals([NEW]).open(spoiled, purpose="p")


def test_each_changed_character_is_noticed() -> None:
    """One bit is enough."""
    ours = Seals([NEW])
    sealed = ours.seal(b"some content", purpose="p")

    for at in range(len(sealed) - 1):  # The last character may carry bits that stand for nothing.
        other = "A" if sealed[at] != "A" else "B"
        with pytest.raises(NotOurs):
            ours.open(sealed[:at] + other + sealed[at + 1 :], purpose="p")


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "short"]])
def test_a_weak_secret_seals_nothing(keys: list[str]) -> None:
    """It is said when the process starts."""
    with pytest.raises(WeakSecret):
        Seals(keys)


def test_a_folder_has_one_key(tmp_path: Path) -> None:
    """Of starters at once each finds the same."""
    found: list[Seals] = []
    threads = [threading.Thread(target=lambda: found.append(seals_of(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sealed = found[0].seal(b"x", purpose="p")
    assert [each.open(sealed, purpose="p") for each in found] == [b"x"] * 4
