"""Every refusal has a name of its own, in both languages."""

from collections import Counter

from launch.problems import refusals
from shared.errors import Title


def test_every_refusal_has_a_code_of_its_own() -> None:
    """Callers tell them apart by it, whatever service says it."""
    kinds = refusals()
    assert len(kinds) > 30
    assert [kind.__qualname__ for kind in kinds if "code" not in vars(kind)] == []
    assert [code for code, times in Counter(kind.code for kind in kinds).items() if times > 1] == []


def test_every_refusal_has_two_titles() -> None:
    """A person reads one of them: no language borrows the other's words, or another refusal's."""
    for kind in refusals():
        title = vars(kind).get("title")
        assert isinstance(title, Title), kind
        assert title.zh.strip(), kind
        assert title.en.isascii(), kind
        assert any("\u4e00" <= sign <= "\u9fff" for sign in title.zh), kind
