"""The commit: all of a sheet, once, whatever happens to the worker."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import select, text

from shared.bus.tables import TaskRun
from shared.bus.tasks import runs
from shared.bus.tasks.running import Runner
from shared.errors import NotFound
from shared.imports.kinds import Tell
from shared.imports.refusals import ImportHasRejects
from shared.imports.tables import Import
from tests.activities.racing import at_once
from tests.shared.imports.pebbles import Desk, pebbles
from tests.waiting import until

ROWS = (("flint", 10), ("slate", 20))


def run_of(desk: Desk, import_id: UUID) -> UUID:
    with desk.database.transaction() as tx:
        return tx.scalars(
            select(TaskRun.id).join(Import, Import.run_id == TaskRun.id).where(Import.id == import_id)
        ).one()


class TestCommit:
    def test_a_sheet_creates_updates_and_skips(self, desk: Desk) -> None:
        """As the preview says; the same sheet again skips everything."""
        desk.bring(*ROWS)
        import_id = desk.stage(("flint", 11), ("slate", 20), ("opal", 5))
        preview = desk.standing(import_id)
        assert preview.preview.model_dump() == {"create": 1, "update": 1, "skip": 1, "rejected": 0}
        assert preview.samples["update"][0].before == {"grams": "10"}  # type: ignore[index]  # By its text as well.

        desk.order(import_id)
        desk.work()

        done = desk.standing(import_id)
        assert (done.state, done.result and done.result.model_dump()) == (
            "committed", {"created": 1, "updated": 1, "skipped": 1}
        )  # fmt: skip
        assert desk.pebbles() == {"flint": 11, "slate": 20, "opal": 5}
        again = desk.bring(("flint", 11), ("slate", 20), ("opal", 5))
        assert again.result is not None
        assert again.result.model_dump() == {"created": 0, "updated": 0, "skipped": 3}
        assert desk.count("sheet_import_rows") == 0

    def test_an_update_that_nobody_was_shown_fails_it(self, desk: Desk) -> None:
        """What was to be new is there, with another weight; what was to change has changed already."""
        new, change = desk.stage(*ROWS), desk.stage(("opal", 5))
        desk.bring(("flint", 99), ("opal", 7))
        for import_id in (new, change):
            desk.order(import_id)
        desk.work()

        assert [desk.standing(each).failure for each in (new, change)] != [None, None]
        assert {desk.standing(each).state for each in (new, change)} == {"failed"}
        assert desk.pebbles() == {"flint": 99, "opal": 7}
        assert (desk.count("sheet_import_rows"), desk.count("dead_letter")) == (0, 0)

    def test_a_change_of_what_was_to_be_replaced_fails_it(self, desk: Desk) -> None:
        """The person who decided saw another weight."""
        desk.bring(*ROWS)
        import_id = desk.stage(("flint", 12))
        desk.bring(("flint", 11))
        desk.order(import_id)
        desk.work()

        assert desk.standing(import_id).state == "failed"
        assert desk.pebbles()["flint"] == 11

    def test_two_orders_at_once_are_one(self, desk: Desk) -> None:
        """One run, done once."""
        import_id = desk.stage(*ROWS)

        assert at_once(*[lambda: desk.order(import_id)] * 4) == [None] * 4
        assert desk.count("task_run") == 1
        desk.work()
        desk.order(import_id)

        assert (desk.standing(import_id).state, desk.count("task_run")) == ("committed", 1)

    def test_rejects_are_left_out_only_on_purpose(self, desk: Desk) -> None:
        """And nothing is asked for until then."""
        import_id = desk.stage(("flint", 10), ("slate", "heavy"))
        with pytest.raises(ImportHasRejects):
            desk.order(import_id)
        assert (desk.standing(import_id).state, desk.count("task_run")) == ("staged", 0)

        desk.order(import_id, skip_rejected=True)
        desk.work()
        assert desk.pebbles() == {"flint": 10}

    def test_kinds_that_a_caller_may_not_import_do_not_exist(self, desk: Desk) -> None:
        """Neither to look at nor to commit."""
        import_id = desk.stage(*ROWS)
        desk.scope = type(desk.scope)(desk.programme, [])
        with pytest.raises(NotFound):
            desk.order(import_id)
        with pytest.raises(NotFound):
            desk.standing(import_id)


class TestWorkers:
    def test_progress_is_seen_before_anything_else_is(self, desk: Desk) -> None:
        """While one transaction brings the sheet in, others see how far it is, and none of its rows."""
        begun, go_on = threading.Event(), threading.Event()

        def halfway(tell: Tell) -> None:
            tell(1)
            begun.set()
            assert go_on.wait(20)

        busy = desk.using(pebbles(halfway))
        import_id = busy.stage(*ROWS)
        busy.order(import_id)
        thread = threading.Thread(target=busy.work)
        thread.start()
        assert begun.wait(20)

        seen = desk.standing(import_id)
        assert (seen.state, seen.done, seen.total, desk.pebbles()) == ("committing", 1, 2, {})
        desk.order(import_id)  # Waits for nobody: it is ordered.
        go_on.set()
        thread.join(20)
        assert (desk.standing(import_id).state, desk.pebbles()) == ("committed", dict(ROWS))

    def test_a_worker_that_dies_in_the_middle_leaves_it_to_the_next(self, desk: Desk) -> None:
        """It took the run and is gone; when its lease is over another brings the sheet in, once."""
        import_id = desk.stage(*ROWS)
        desk.order(import_id)
        run_id = run_of(desk, import_id)
        with desk.database.transaction() as tx:
            assert runs.take(tx, run_id, known=[desk.imports.task.name], seconds=0.05)

        def is_over() -> bool:
            Runner(desk.database, [desk.imports.work]).run(run_id)
            return desk.standing(import_id).state == "committed"

        until(is_over, timeout=20, missing="the second worker")
        assert desk.pebbles() == dict(ROWS)
        assert desk.standing(import_id).result is not None

    def test_two_workers_at_once_bring_it_in_once(self, desk: Desk) -> None:
        """One was taken for dead while it still worked: what it wrote is taken back."""
        begun, go_on, times = threading.Event(), threading.Event(), list[int]()

        def slowly(tell: Tell) -> None:
            times.append(1)
            if len(times) == 1:
                begun.set()
                assert go_on.wait(20)
            tell(2)

        busy = desk.using(pebbles(slowly))
        import_id = busy.stage(*ROWS)
        busy.order(import_id)
        run_id = run_of(desk, import_id)
        first = threading.Thread(target=Runner(desk.database, [busy.imports.work]).run, args=(run_id,))
        first.start()
        assert begun.wait(20)
        with desk.database.apart() as tx:
            tx.execute(text("UPDATE task_run SET lease_until = now() - interval '1 s'"))
        second = threading.Thread(target=Runner(desk.database, [busy.imports.work]).run, args=(run_id,))
        second.start()
        until(lambda: self.lease_is_new(desk), timeout=20, missing="the second lease")
        go_on.set()
        first.join(20)
        second.join(20)

        assert (desk.standing(import_id).state, desk.pebbles(), len(times)) == ("committed", dict(ROWS), 2)

    def lease_is_new(self, desk: Desk) -> bool:
        with desk.database.apart() as tx:
            return bool(tx.execute(text("SELECT attempts = 2 FROM task_run")).scalar_one())

    def test_a_fault_of_ours_is_tried_again_and_then_failed_in_sight(self, desk: Desk) -> None:
        """Nothing is half in; when the code is mended an operator has it tried again."""

        def fail(_tell: Tell) -> None:
            raise ZeroDivisionError

        broken = desk.using(pebbles(fail))
        import_id = broken.stage(*ROWS)
        broken.order(import_id)
        broken.work()

        seen = desk.standing(import_id)
        assert (seen.state, seen.failure and seen.failure.code) == ("failed", "internal_error")
        assert (desk.pebbles(), desk.count("dead_letter")) == ({}, 1)

        with desk.database.transaction() as tx:
            assert runs.try_again(tx, run_of(desk, import_id))
        assert desk.standing(import_id).state == "committing"
        desk.work()
        assert (desk.standing(import_id).state, desk.pebbles()) == ("committed", dict(ROWS))
