"""`task`: work is asked for with the transaction that made it necessary, or not at all."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from shared import bus, telemetry
from shared.database.sessions import Database
from tests.shared.bus.running import Owner, counted
from tests.shared.bus.tasks.probing import SEND, ask, run_of, states

AT = datetime(2031, 3, 4, 9, 0, tzinfo=UTC)


class ChangedMind(Exception):
    """The business transaction fails after it has asked."""


def ask_and_fail(database: Database) -> None:
    with database.transaction() as tx:
        bus.task(tx, SEND, uuid4())
        raise ChangedMind


def test_what_is_rolled_back_is_never_done(working: Database, owner: Owner) -> None:
    """Neither the run nor its wake-up outlives the change that wanted it."""
    with pytest.raises(ChangedMind):
        ask_and_fail(working)

    assert (owner.count("task_run"), owner.count("outbox")) == (0, 0)


def test_a_run_and_its_wake_up_say_what_they_are(working: Database, owner: Owner) -> None:
    """The row holds everything; what travels is its id."""
    letter, programme = uuid4(), uuid4()
    with telemetry.trace(None) as trace_id:
        run_id = ask(working, letter, programme_id=programme)

    (row,) = owner.execute("SELECT id, task, arguments, programme_id, split_part(traceparent, '-', 2) FROM task_run")
    assert row == (run_id, "probe.send_letter", f'["{letter}"]', programme, trace_id)
    (parcel,) = owner.execute("SELECT lane, event_id, type, programme_id, body, due_at, next_try_at FROM outbox")
    assert parcel == ("task", run_id, "probe.send_letter", programme, f'{{"run":"{run_id}"}}', None, None)


def test_work_of_later_waits_in_the_outbox(working: Database, owner: Owner) -> None:
    """By the programme's clock, as events do."""
    ask(working, uuid4(), at=AT)

    assert owner.execute("SELECT due_at FROM outbox") == [(AT,)]


def test_a_key_is_one_run(working: Database, owner: Owner) -> None:
    """Asked for again, in the same transaction or later, it is the run that is there; another task's key is another."""
    other = bus.Task("probe.shred_letter")
    with working.transaction() as tx:
        first = bus.task(tx, SEND, uuid4(), key="welcome")
        assert bus.task(tx, SEND, uuid4(), key="welcome") == first
        assert bus.task(tx, other, uuid4(), key="welcome") != first

    assert ask(working, uuid4(), key="welcome") == first
    assert (owner.count("task_run"), owner.count("outbox")) == (2, 2)


def test_many_with_keys_are_those_that_are_missing(working: Database, owner: Owner) -> None:
    """The ids come back in the order of the calls, known or new."""
    known = ask(working, uuid4(), key="b")
    with working.transaction() as tx:
        ids = bus.task_all(tx, SEND, [[uuid4()] for _ in range(4)], keys=["a", "b", "c", "a"])

    assert ids[1] == known
    assert ids[0] == ids[3]
    assert len({*ids}) == 3
    assert (owner.count("task_run"), owner.count("outbox")) == (3, 3)
    with working.transaction() as tx, pytest.raises(ValueError, match="2 calls with 1 keys"):
        bus.task_all(tx, SEND, [[uuid4()], [uuid4()]], keys=["a"])


def test_twelve_thousand_tasks_take_six_statements(working: Database, owner: Owner) -> None:
    """A round of reminders is not asked for row by row."""
    with counted(working.engine) as seen, working.transaction() as tx:
        ids = bus.task_all(tx, SEND, [[uuid4()] for _ in range(12_000)])

    assert len([statement for statement in seen if statement != "BEGIN"]) == 6
    assert states(owner) == {"queued": 12_000}
    assert [UUID(str(row[0])) for row in owner.execute("SELECT event_id FROM outbox ORDER BY position")] == ids


def test_nothing_to_do_is_no_statement(working: Database) -> None:
    """An action may ask for what came out of a decision, even if that is nothing."""
    with counted(working.engine) as seen, working.transaction() as tx:
        assert bus.task_all(tx, SEND, []) == []

    assert [statement for statement in seen if statement != "BEGIN"] == []


def test_arguments_are_what_json_can_carry(working: Database, owner: Owner) -> None:
    """Texts, whole numbers, truth, ids, instants, dates and nothing."""
    values = ("信", 5, True, None, UUID(int=7), AT.astimezone(timezone(timedelta(hours=8))), date(2031, 3, 4))
    with working.transaction() as tx:
        run_id = bus.task(tx, SEND, *values)

    ((arguments,),) = owner.execute("SELECT arguments FROM task_run")
    assert arguments == (
        '["信",5,true,null,"00000000-0000-0000-0000-000000000007","2031-03-04T17:00:00+08:00","2031-03-04"]'
    )
    assert run_of(owner, run_id).state == "queued"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (1.5, TypeError),
        (["a"], TypeError),
        (b"a", TypeError),
        ("a\x00b", ValueError),
        (datetime(2031, 3, 4), ValueError),  # noqa: DTZ001  That is the point.
        (2**70, TypeError),
    ],
)
def test_other_arguments_are_refused_at_once(working: Database, value: object, error: type[Exception]) -> None:
    """Where they are given, not where they cannot be read."""
    with working.transaction() as tx, pytest.raises(error):
        bus.task(tx, SEND, value)  # type: ignore[arg-type]  # That is the point.


@pytest.mark.parametrize("name", ["send", "Probe.send", "probe.send.letter", "probe.", ""])
def test_a_task_is_named_for_its_service(name: str) -> None:
    """Whoever sees the name knows where its function is."""
    with pytest.raises(ValueError, match=r"service\.task"):
        bus.Task(name)
