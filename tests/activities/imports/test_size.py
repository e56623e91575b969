"""How imports behave at full size: totals, and how many statements they take."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.shift_imports.jobs import SHIFTS
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers.tables import Volunteer
from shared.documents.refusals import TooManyRows
from tests.activities.sheets import bring, brought, commit, sheet, shown, stage
from tests.factories.activities import NINE, PROGRAMME, make_listing, make_partner, make_shift

ROWS = 50_000
MOST_ROWS = 200_000
OCCASIONS = 10
STEPS = (8, 400)


def register(tx: Session, people: int) -> None:
    rows = [
        {"programme_id": PROGRAMME, "employee_number": f"E{number}", "display_name": "合成甲", "registered_at": NINE}
        for number in range(people)
    ]
    tx.execute(insert(Volunteer), rows)


def publish(tx: Session, shifts: int) -> None:
    listing = make_listing(tx, reference="L1")
    for number in range(1, shifts + 1):
        make_shift(tx, listing=listing, number=number)


@contextmanager
def counted(tx: Session) -> Iterator[list[str]]:
    """Collect the statements that go to the server; one with many rows of parameters counts for each of them."""
    statements: list[str] = []

    def collect(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: Any) -> None:
        statements.extend([statement] * (len(parameters) if executemany else 1))

    engine = tx.get_bind()
    event.listen(engine, "before_cursor_execute", collect)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", collect)


def presences(people: Iterable[int], *, shift: int, came: str, left: str) -> list[tuple[object, ...]]:
    """Write a row for each person; every fourth is not known to have left."""
    return [
        ("L1", shift, f"E{person}", f"2022-06-01 {came}", f"2022-06-01 {left}" if person % 4 else "", "扫码")
        for person in people
    ]


@pytest.mark.long
def test_fifty_thousand_rows_are_brought_in_whole(tx: Session) -> None:
    """Five thousand people on ten shifts at once: each of them served two hours, on one of the shifts.

    What is told besides is who came without leaving, and that each of the shifts was held.
    """
    people = ROWS // OCCASIONS
    register(tx, people)
    publish(tx, OCCASIONS)
    shifts = range(1, OCCASIONS + 1)
    rows = [row for shift in shifts for row in presences(range(people), shift=shift, came="09:00", left="11:00")]
    content = sheet(ATTENDANCE, *rows)

    staged = stage(tx, ATTENDANCE, content)
    assert shown(staged) == (ROWS, 0, 0, 0)
    assert brought(commit(tx, staged)) == (ROWS, 0, 0)
    settled = ROWS * 3 // 4
    figures = text("""
        SELECT count(*), count(*) FILTER (WHERE state = 'settled'), sum(service_minutes) FROM attendance
        WHERE programme_id = :programme
        UNION ALL SELECT count(*), count(DISTINCT partition_key), sum((body::json->>'matchable_minutes')::int)
        FROM outbox WHERE programme_id = :programme AND type = 'activities.attendance.settled.v1'
        UNION ALL SELECT count(*), count(DISTINCT partition_key), 0
        FROM outbox WHERE programme_id = :programme AND type <> 'activities.attendance.settled.v1' AND lane = 'event'
    """)
    found = [tuple(row) for row in tx.execute(figures, {"programme": PROGRAMME})]
    minutes, came = people * 3 // 4 * 120, ROWS - settled  # Of who has not left it is told that they came.
    assert found == [(ROWS, settled, minutes), (settled, settled, minutes), (came + OCCASIONS, came + OCCASIONS, 0)]
    assert brought(commit(tx, stage(tx, ATTENDANCE, content))) == (0, 0, ROWS)


def test_one_row_more_is_refused(tx: Session) -> None:
    """The limit is told before anything is looked up."""
    rows = [(f"E{number}", "合成甲") for number in range(MOST_ROWS + 1)]
    with pytest.raises(TooManyRows):
        stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *rows))


class TestStatements:
    """As many for four hundred rows as for eight: nothing goes row by row. Counted exactly: one more is looked at."""

    def test_of_people(self, tx: Session) -> None:
        """Registered with one statement, told with one; which numbers were merged is asked twice."""
        taken = []
        for people in STEPS:
            content = sheet(VOLUNTEERS, *((f"N{people}-{number}", "合成甲") for number in range(people)))
            with counted(tx) as statements:
                assert commit(tx, stage(tx, VOLUNTEERS, content)).created == people
                tx.flush()
            taken.append(len(statements))
        assert taken[0] == taken[1] == 28

    @pytest.mark.parametrize("listings", [True, False], ids=["listings", "shifts of one listing"])
    def test_of_shifts(self, tx: Session, *, listings: bool) -> None:
        """One statement for listings, two for their words, one for the shifts and one for telling what is published."""
        make_partner(tx, reference="P1")
        taken = []
        for count in STEPS:
            keys = [(f"L{number}", count) if listings else (f"L{count}", number) for number in range(1, count + 1)]
            times = ("2022-06-01 09:00", "2022-06-01 12:00", 5)
            content = sheet(SHIFTS, *(("P1", reference, "净滩", number, *times) for reference, number in keys))
            with counted(tx) as statements:
                assert commit(tx, stage(tx, SHIFTS, content)).created == count
                tx.flush()
            taken.append(len(statements))
        assert taken[0] == taken[1] == 31

    def test_of_attendance(self, tx: Session) -> None:
        """Arrivals, settlements, overlaps and the events of all of them, on shifts that nobody has held before."""
        register(tx, sum(STEPS))
        publish(tx, 2 * len(STEPS))
        taken, first = [], 0
        for step, count in enumerate(STEPS):
            people, shift = range(first, first := first + count), 2 * step + 1
            bring(tx, ATTENDANCE, *presences(people, shift=shift + 1, came="10:00", left="11:00"))
            with counted(tx) as statements:
                bring(tx, ATTENDANCE, *presences(people, shift=shift, came="09:00", left="12:00"))
            taken.append(len(statements))
        assert taken[0] == taken[1] == 37
