"""What sheets hold of people goes after a stated time."""

from datetime import timedelta

from sqlalchemy import select, text

from shared.imports.forgetting import forget
from shared.imports.refusals import ImportExpired
from shared.imports.tables import Import
from shared.privacy import retention
from tests.activities.racing import outcome
from tests.shared.imports.pebbles import NOW, Desk

SECOND = timedelta(seconds=1)

KEPT = retention.age("imports")


def forgotten(desk: Desk, *, after: timedelta) -> int:
    with desk.database.transaction() as tx:
        return forget(tx, now=NOW + after)


def test_a_sheet_that_nobody_commits_expires(desk: Desk) -> None:
    """Not a second before its time; what it held is gone, its counts stay, and it cannot be committed any more."""
    import_id = desk.stage(("flint", 10), ("slate", "heavy"))

    assert forgotten(desk, after=KEPT - SECOND) == 0
    assert desk.standing(import_id).state == "staged"
    assert forgotten(desk, after=KEPT) == 1
    assert forgotten(desk, after=KEPT) == 0

    seen = desk.standing(import_id)
    assert (seen.state, seen.file_name, seen.errors, seen.preview.create, seen.preview.rejected) == (
        "expired", None, [], 1, 1
    )  # fmt: skip
    assert not any(seen.samples.values())
    with desk.database.transaction() as tx:
        assert tx.scalars(select(Import.reject_file)).all() == [None]
    assert desk.count("sheet_import_rows") == 0
    assert outcome(lambda: desk.order(import_id)) == ImportExpired.code


def test_a_committed_import_stays_with_its_result(desk: Desk) -> None:
    """Only what the sheet said of people goes."""
    done = desk.bring(("flint", 10))
    assert forgotten(desk, after=KEPT) == 1
    seen = desk.standing(done.id)
    assert (seen.state, seen.result, seen.file_name) == ("committed", done.result, None)
    assert desk.pebbles() == {"flint": 10}


def test_an_import_that_is_being_committed_is_left_alone(desk: Desk) -> None:
    """Until its run is over: then, if that has failed for good, it expires, and a later try does nothing."""
    import_id = desk.stage(("flint", 10))
    desk.order(import_id)
    assert forgotten(desk, after=KEPT) == 0
    with desk.database.transaction() as tx:
        tx.execute(text("UPDATE task_run SET state = 'failed', finished_at = now()"))

    assert forgotten(desk, after=KEPT) == 1
    with desk.database.transaction() as tx:
        tx.execute(text("UPDATE task_run SET state = 'queued', finished_at = NULL"))
    desk.work()
    assert (desk.standing(import_id).state, desk.pebbles()) == ("expired", {})


def test_the_timer_forgets_by_the_instant_at_which_it_was_due(desk: Desk) -> None:
    """It bears the service's name, and runs once a night."""
    assert desk.imports.timer.name == "ledger.forget_imports"
    import_id = desk.stage(("flint", 10))
    with desk.database.transaction() as tx:
        due = next(desk.imports.timer.instants(NOW + KEPT))
        forget(tx, now=due)
    assert desk.standing(import_id).state == "expired"
