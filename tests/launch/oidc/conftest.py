from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import clock
from tests.launch.oidc.browsing import Browsing, client_of, make_provider


@pytest.fixture
def browsing(tmp_path: Path) -> Browsing:
    provider = make_provider(tmp_path)
    return Browsing(provider, client_of(provider))


@pytest.fixture(autouse=True)
def _present() -> Iterator[None]:
    yield
    clock.come_back()
