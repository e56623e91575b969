"""A database in which work is asked for and done."""

import pytest

from shared.database.sessions import Database
from tests.shared.bus.running import Owner
from tests.shared.bus.tasks.probing import MAIL


@pytest.fixture
def working(telling: Database, told: Owner) -> Database:
    """Return a service's database, in which nothing was asked for yet."""
    told.execute(MAIL)
    told.execute("TRUNCATE mail")
    return telling


@pytest.fixture
def owner(told: Owner, working: Database) -> Owner:
    assert told.count("task_run") == 0, working.role
    return told
