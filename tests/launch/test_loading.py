"""A process begins without its garbage collector, and goes on with it."""

import gc

import pytest

from launch.loading import for_good


def test_what_is_there_at_the_end_stays() -> None:
    """The collector rests meanwhile, and never looks at it afterwards."""
    before = gc.get_freeze_count()
    try:
        with for_good():
            assert not gc.isenabled()
            kept = [[each] for each in range(1_000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()


def test_a_start_that_fails_leaves_no_process_without_it() -> None:
    """Whoever goes on after a failure goes on with a collector."""
    try:
        with pytest.raises(ZeroDivisionError), for_good():
            _ = 1 // 0
        assert gc.isenabled()
    finally:
        gc.unfreeze()
