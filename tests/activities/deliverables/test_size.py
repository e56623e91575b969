"""What many places cost: as many round trips as few."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from services.activities.acceptances import actions as acceptances
from services.activities.acceptances.actions import Judge
from services.activities.deliverables import actions
from shared.auth.scopes import Scope
from tests.factories.activities import NOON, PROGRAMME, at, make_sign_up
from tests.factories.deliverables import DUE, make_deliverable, make_submitted, make_work_shift

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@contextmanager
def counted(tx: Session) -> Iterator[list[str]]:
    """Collect what is sent to the server: rows of one statement go together (psycopg's pipeline)."""
    trips: list[str] = []

    def collect(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        trips.append(statement)

    event.listen(tx.get_bind(), "before_cursor_execute", collect)
    try:
        yield trips
    finally:
        event.remove(tx.get_bind(), "before_cursor_execute", collect)


@pytest.fixture
def tx(tx: Session) -> Session:
    """Begin with nothing that waits for a timer: other tests leave theirs."""
    while actions.owe(tx, now=LATER, limit=10_000):
        pass
    actions.lapse(tx, now=LATER, limit=10_000)
    while acceptances.end(tx, now=LATER, limit=10_000):
        pass
    return tx


def owe(tx: Session, count: int) -> Callable[[], object]:
    shift = make_work_shift(tx, capacity=100)
    for _ in range(count):
        make_sign_up(tx, shift)
    return lambda: actions.owe(tx, now=NOON)


def lapse(tx: Session, count: int) -> Callable[[], object]:
    for _ in range(count):
        make_deliverable(tx)
    return lambda: actions.lapse(tx, now=DUE, limit=100)


def _submitted(tx: Session, count: int) -> list[tuple[UUID, int]]:
    shift = make_work_shift(tx, capacity=100, owed_at=NOON)
    return [(make_submitted(tx, shift=shift).id, 1) for _ in range(count)]


def accept(tx: Session, count: int) -> Callable[[], object]:
    asked = _submitted(tx, count)
    return lambda: acceptances.accept_many(tx, Judge(Scope(PROGRAMME), uuid4(), at(14)), asked)


def end(tx: Session, count: int) -> Callable[[], object]:
    _submitted(tx, count)
    return lambda: acceptances.end(tx, now=LATER, limit=100)


@pytest.mark.parametrize("make", [owe, lapse, accept, end])
def test_many_take_as_many_round_trips_as_few(
    tx: Session, make: Callable[[Session, int], Callable[[], object]]
) -> None:  # fmt: skip
    """A run's time is the database's, not that of round trips."""
    taken = []
    for count in (2, 40):
        run = make(tx, count)
        tx.flush()
        with counted(tx) as trips:
            run()
            tx.flush()
        taken.append(len(trips))
    assert taken[0] == taken[1] < 20
