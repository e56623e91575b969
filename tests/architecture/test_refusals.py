"""Every refusal has a name of its own, in both languages."""

from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import services
import shared
from shared.errors import Refusal, Title


def refusals() -> list[type[Refusal]]:
    """Import everything and return each refusal that is declared in it."""
    for package in (services, shared):
        root = Path(next(iter(package.__path__)))
        for module in walk_packages([str(root)], f"{package.__name__}."):
            if ".migrations" not in module.name:
                import_module(module.name)
    found, rest = list[type[Refusal]](), Refusal.__subclasses__()
    while rest:
        kind = rest.pop()
        rest += kind.__subclasses__()
        found.append(kind)
    return [kind for kind in set(found) if kind.__module__.split(".")[0] in {"services", "shared"}]


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
