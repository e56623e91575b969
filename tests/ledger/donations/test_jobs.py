from uuid import UUID

from sqlalchemy import text

from services.ledger.donations import actions
from services.ledger.main import SERVICE
from shared.database.sessions import Database
from tests.factories.ledger import NOW, make_policy_version, make_settled
from tests.nights import one_night

BOOKS = text("SELECT (SELECT count(*) FROM donation), (SELECT count(*) FROM entry), (SELECT count(*) FROM leg)")


def test_a_night_deletes_nothing_of_the_books(database: Database, programme: UUID) -> None:
    """However old they are; what was deleted is logged, by kind."""
    with database.transaction() as tx:
        make_policy_version(tx, programme_id=programme)
        actions.accrue(tx, [make_settled(programme_id=programme)], now=NOW)
        before = tx.execute(BOOKS).one()

    logs = one_night(database, SERVICE)

    with database.transaction() as tx:
        assert tx.execute(BOOKS).one() == before
    [line] = [line for line in logs if line["event"] == "retention.forgotten"]
    assert {"dead_letters", "replays", "failed_task_runs", "event_archive_months"} < line.keys()
