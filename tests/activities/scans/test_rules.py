import pytest

from services.activities.scans.rules import MARK_BYTES, device_mark
from tests.factories.activities import SECRET

OTHER = "KRSXG5CTMVRXEZLU"
DEVICE = "a-telephone-of-somebody"


def test_a_device_is_known_again_on_its_shift() -> None:
    """However long what it sends is, what is kept is short, and shows nothing of it."""
    mark = device_mark(DEVICE, secret=SECRET)
    assert mark == device_mark(DEVICE, secret=SECRET)
    assert mark is not None
    assert len(mark) == MARK_BYTES
    assert DEVICE[:4].encode() not in mark


@pytest.mark.parametrize(("device", "secret"), [(DEVICE, OTHER), (DEVICE + "2", SECRET), (DEVICE[:-1], SECRET)])
def test_anything_else_is_another_mark(device: str, secret: str) -> None:
    """The same device on another shift above all: nobody is followed from one to the next."""
    assert device_mark(device, secret=secret) != device_mark(DEVICE, secret=SECRET)


def test_of_a_device_that_is_not_told_nothing_is_kept() -> None:
    """Two that are not told are not one."""
    assert device_mark(None, secret=SECRET) is None
