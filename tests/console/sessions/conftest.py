from collections.abc import Iterator

import pytest

from shared import clock


@pytest.fixture(autouse=True)
def own_time() -> Iterator[None]:
    """Come back from any journey in time."""
    yield
    clock.come_back()
