import pytest

from services.activities.consents import rules
from services.activities.consents.rules import Decision, Purpose, Terms, Text, TextOutdated, UnknownText

FIRST = Text(1, "一", "one", "1")
SECOND = Text(2, "二", "two", "2")


@pytest.mark.parametrize("purpose", Purpose)
def test_a_text_that_was_shown_is_never_edited(purpose: Purpose) -> None:
    """The digest that stands beside people's decisions is of what they read: change a text by a new version."""
    for place, text in enumerate(rules.TERMS[purpose].texts, start=1):
        assert text.version == place
        assert text.digest == rules.digest_of(text)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_text_says_what_refusing_and_withdrawing_do(purpose: Purpose) -> None:
    """In both languages (PIPL articles 15 to 17)."""
    text = rules.TERMS[purpose].current
    assert "不同意" in text.zh
    assert "撤回" in text.zh
    assert "refuse" in text.en
    assert "withdraw" in text.en


def test_only_the_current_text_can_be_agreed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who read an older one has not read what holds now."""
    monkeypatch.setattr(rules, "TERMS", {Purpose.PARTNER_ROSTER: Terms((FIRST, SECOND), holds_since=1)})
    assert rules.require_current(Purpose.PARTNER_ROSTER, 2) is SECOND
    with pytest.raises(TextOutdated) as outdated:
        rules.require_current(Purpose.PARTNER_ROSTER, 1)
    assert outdated.value.facts == {"current": 2}
    for version in (0, 3):
        with pytest.raises(UnknownText):
            rules.require_current(Purpose.PARTNER_ROSTER, version)


@pytest.mark.parametrize(
    ("decision", "version", "holds"),
    [(Decision.GIVEN, 1, False), (Decision.GIVEN, 2, True), (Decision.GIVEN, 3, True), (Decision.WITHDRAWN, 2, False)],
)
def test_consent_to_a_text_that_said_less_holds_no_longer(decision: Decision, version: int, *, holds: bool) -> None:
    """A text that asks for more is agreed to anew; one that only reads better is not."""
    terms = Terms((FIRST, SECOND), holds_since=2)
    assert rules.holds(decision, text_version=version, terms=terms) is holds
