from collections.abc import Iterator

import pytest

from shared.privacy import suppression
from shared.privacy.suppression import NoSuppressionKey, Suppressor

OLD, NEW = "an old secret of thirty-two letters", "a new secret of thirty-two letters"


def test_a_number_is_known_again_and_in_its_scope_only() -> None:
    """The same number in another programme is somebody else's."""
    keys = Suppressor([NEW])

    assert keys.digest("E1", scope="a") == keys.digest("E1", scope="a")
    different = {keys.digest(number, scope=scope).value for number, scope in (("E1", "a"), ("E1", "b"), ("E2", "a"))}
    assert len(different) == 3


def test_nothing_but_the_key_leads_to_the_digest() -> None:
    """Who has the database alone cannot try all numbers."""
    assert Suppressor([NEW]).digest("E1", scope="a").value != Suppressor([OLD]).digest("E1", scope="a").value


def test_what_an_old_key_made_is_known_as_long_as_the_key_is_there() -> None:
    """A new key is put before the old one; from then on it makes the digests."""
    made_before = Suppressor([OLD]).digest("E1", scope="a")
    rotated = Suppressor([NEW, OLD])

    assert made_before in rotated.digests("E1", scope="a")
    assert rotated.digest("E1", scope="a") != made_before
    assert rotated.digest("E1", scope="a").key_id == next(iter(rotated.key_ids))
    assert made_before not in Suppressor([NEW]).digests("E1", scope="a")


def test_parts_do_not_run_together() -> None:
    """A programme that ends as a number begins is another programme."""
    keys = Suppressor([NEW])
    assert keys.digest("12", scope="3").value != keys.digest("2", scope="31").value


class TestProcess:
    @pytest.fixture(autouse=True)
    def untold(self) -> Iterator[None]:
        before = suppression._used[:]  # noqa: SLF001  What a process starts with: nothing.
        suppression._used.clear()  # noqa: SLF001  As above.
        yield
        suppression._used[:] = before  # noqa: SLF001  As above.

    def test_a_process_without_a_secret_says_which_setting_is_missing(self) -> None:
        """It hashes with nothing rather than with something that anybody could guess."""
        with pytest.raises(NoSuppressionKey, match="POPCANDY_SECRETS"):
            suppression.suppressor()
        with pytest.raises(NoSuppressionKey):
            suppression.use([])

    def test_the_last_word_counts(self) -> None:
        """A process is told once; a test, as often as it likes."""
        suppression.use([OLD])
        suppression.use([NEW])
        assert suppression.suppressor().digest("E1", scope="a") == Suppressor([NEW]).digest("E1", scope="a")
