"""How a process begins: it loads a million objects that stay, and no look at them would free one."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def for_good() -> Iterator[None]:
    """Let the garbage collector rest while a process begins; what is there at the end, it never looks at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
