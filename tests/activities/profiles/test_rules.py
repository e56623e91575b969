import pytest

from services.activities.profiles import rules
from services.activities.profiles.rules import UnknownLanguage


@pytest.mark.parametrize("code", ["zh", "en", "yue", "zh-Hant", "zh-HK"])
def test_languages_are_written_by_their_codes(code: str) -> None:
    """As BCP 47 has them."""
    rules.require_languages([code])


@pytest.mark.parametrize("code", ["", "Z", "z", "中文", "english", "zh_CN", "zh-", "ZH", "zh-Hant-HK"])
def test_other_words_are_no_languages(code: str) -> None:
    """The refusal says where, and does not repeat what may be anything."""
    with pytest.raises(UnknownLanguage) as refused:
        rules.require_languages(["en", code])
    assert refused.value.facts == {"field": "languages", "places": [1]}


def test_each_word_stands_once_in_order() -> None:
    """Equal profiles are written alike, so nothing changes that is said again in another order."""
    assert rules.tidy(["b", "a", "b"]) == ["a", "b"]
    assert rules.tidy([]) == []
