import pytest

from shared.privacy.masking import mask, sees_people
from shared.roles import Role


@pytest.mark.parametrize(
    ("text", "masked"), [("王小明", "王***"), ("𠮷野", "𠮷***"), ("王", "***"), ("", "***"), ("Zoe", "Z***")]
)
def test_a_name_keeps_its_first_character_at_most(text: str, masked: str) -> None:
    """A name of one character is hidden whole; no mask tells how long the name is."""
    assert mask(text) == masked


def test_a_number_keeps_its_first_two() -> None:
    """They say of which kind it is, not whose."""
    assert mask("E000123", shown=2) == "E0***"
    assert mask("E1", shown=2) == "***"


def test_those_who_run_the_programme_see_people() -> None:
    """Whoever counts or audits does not; with one such role among several a person sees."""
    assert {role for role in Role if sees_people(frozenset({role}))} == {Role.OPERATOR, Role.REVIEWER}
    assert sees_people(frozenset({Role.AUDITOR, Role.OPERATOR}))
    assert not sees_people(frozenset())
