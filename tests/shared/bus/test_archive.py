"""What a service has told stays, by month, for readers that come later."""

from datetime import UTC, datetime

from sqlalchemy import text

from shared.bus import archive
from shared.database.sessions import Database
from tests.shared.bus.brokers import Scripted, confirm_only
from tests.shared.bus.running import Owner, running
from tests.shared.bus.telling import relay, tell, until_empty, waiting
from tests.waiting import until


def test_what_was_told_can_be_read_again(telling: Database, told: Owner) -> None:
    """By type, oldest first, each once; from any month."""
    months = [datetime(2022, month, 1, tzinfo=UTC) for month in (1, 2, 2, 12)]
    facts = tell(telling, 4)
    for row, month in zip(waiting(told), months, strict=True):
        told.execute("UPDATE outbox SET emitted_at = :month WHERE event_id = :id", month=month, id=row)
    with running(relay(telling, Scripted(confirm_only(2))).run):
        until_empty(told)

    with telling.transaction() as tx:
        kept = list(archive.read(tx, [facts[0].type]))
        assert list(archive.read(tx, ["activities.attendance.voided.v1"])) == []

    assert [row.partition_key for row in kept[:1] + kept[3:]] == [
        str(fact.attendance_id) for fact in (facts[0], facts[3])
    ]
    assert [row.emitted_at for row in kept] == months
    parts = told.execute("SELECT relname FROM pg_class WHERE relname ~ '^event_archive_2022_..$'")
    assert {name for (name,) in parts} >= {f"event_archive_2022_{month}" for month in ("01", "02", "12")}


def test_a_new_month_does_not_wait_for_who_reads_the_archive(telling: Database, told: Owner) -> None:
    """A backup that runs over midnight on the first holds up no event."""
    tell(telling)
    told.execute("UPDATE outbox SET emitted_at = '2031-07-01T00:00:01Z'")
    told.execute("DROP TABLE IF EXISTS event_archive_2031_07")
    with telling.transaction() as reader, running(relay(telling, Scripted()).run):
        reader.execute(text("SELECT count(*) FROM event_archive"))
        until(lambda: told.count("outbox") == 0, timeout=8, missing="an empty outbox")

    assert told.execute("SELECT count(*) FROM event_archive_2031_07") == [(1,)]


def test_a_page_ends_where_the_next_begins(telling: Database, told: Owner) -> None:
    """More than one page, all of one instant: none twice, none missing."""
    tell(telling, archive.PAGE + 5)
    rows = waiting(told)
    with running(relay(telling, Scripted()).run):
        until_empty(told)

    with telling.transaction() as tx:
        kept = [row.event_id for row in archive.read(tx, ["activities.attendance.settled.v1"])]
    assert kept == rows
