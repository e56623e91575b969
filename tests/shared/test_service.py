"""A service's table of contents, of which each role reads its own part."""

from collections.abc import Sequence

import pytest

from shared.service import Later, Service


class Loads:
    def __init__(self, *parts: str) -> None:
        self.parts = parts
        self.times = 0

    def __call__(self) -> Sequence[str]:
        self.times += 1
        return self.parts


def test_parts_are_loaded_when_somebody_looks_at_them() -> None:
    """Once; that there are some is known before."""
    loads = Loads("a", "b", "c")
    later = Later(loads)

    assert later
    assert loads.times == 0
    assert (list(later), len(later), later[0], later[1:]) == (["a", "b", "c"], 3, "a", ("b", "c"))
    assert loads.times == 1


def test_parts_that_are_none_are_a_mistake() -> None:
    """Else a service would seem to have what it has not."""
    with pytest.raises(ValueError, match="declares none"):
        list(Later(Loads()))


def test_whether_there_is_work_is_said_without_loading_it() -> None:
    """A relay wakes workers whose tasks it does not know."""
    loads = Loads()

    assert Service("probe", routers=(), tasks=Later(loads)).has_work  # type: ignore[arg-type]  # They are never read.
    assert Service("probe", routers=(), timers=Later(loads)).has_work  # type: ignore[arg-type]  # As above.
    assert not Service("probe", routers=()).has_work
    assert loads.times == 0


def test_a_process_with_every_role_loads_every_part() -> None:
    """At its start, in one thread."""
    loads = [Loads("one") for _ in range(4)]
    routers, handlers, tasks, timers = (Later(each) for each in loads)
    service = Service("probe", routers, handlers, tasks, timers)  # type: ignore[arg-type]  # They are only counted.

    service.load()

    assert [each.times for each in loads] == [1] * 4
