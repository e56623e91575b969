"""Reads of how people stand at the door; whoever decides on them holds the person's lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, and_, bindparam, cast, func, select
from sqlalchemy.orm import Session, aliased

from services.activities.attendance.tables import Attendance
from services.activities.check_ins.tables import CodeAttempt
from services.activities.listings.tables import Shift
from services.activities.scans.tables import Scan
from services.activities.sign_ups.queries import has_place
from services.activities.sign_ups.tables import SignUp
from shared.database.packed import uuids

Pair = tuple[UUID, UUID]  # Of a shift and a volunteer.


class Standing(NamedTuple):
    """How a person stands with a shift before they scan its code."""

    shift: Shift
    has_place: bool
    attendance: Attendance | None
    failed: int | None  # Wrong codes given lately.
    last_failed_at: datetime | None
    came_by: int | None  # The steps of the codes with which they came and left, as far as that has happened.
    left_by: int | None


def find_standings(tx: Session, pairs: Sequence[Pair]) -> dict[Pair, Standing]:
    """Return how people stand with shifts, by (shift, volunteer); none for a shift that there is not."""
    shift_ids, people = uuids(shift_id for shift_id, _ in pairs), uuids(person for _, person in pairs)
    found = tx.execute(_STANDINGS, {"shifts": shift_ids, "people": people})
    return {(row[0], row[1]): Standing(*row[2:]) for row in found}


def _standings() -> Select[Any]:
    """Select the standing of each given person with the shift given beside them."""
    given = func.unnest(cast(bindparam("shifts"), ARRAY(Uuid)), cast(bindparam("people"), ARRAY(Uuid)))
    pair = given.table_valued("shift_id", "volunteer_id", name="given").render_derived()
    came, left = aliased(Scan), aliased(Scan)
    columns = (
        pair.c.shift_id, pair.c.volunteer_id, Shift, SignUp.id.is_not(None), Attendance, CodeAttempt.failed,
        CodeAttempt.last_failed_at, came.step, left.step,
    )  # fmt: skip
    rows = select(*columns).join_from(pair, Shift, Shift.id == pair.c.shift_id)
    rows = rows.outerjoin(SignUp, and_(*_of(SignUp, pair), has_place()))
    rows = rows.outerjoin(Attendance, and_(*_of(Attendance, pair)))
    rows = rows.outerjoin(CodeAttempt, and_(*_of(CodeAttempt, pair)))
    rows = rows.outerjoin(came, and_(*_of(came, pair), came.way == "in"))
    return rows.outerjoin(left, and_(*_of(left, pair), left.way == "out"))


def _of(table: Any, pair: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:  # noqa: ANN401  Tables, aliased too.
    return table.shift_id == pair.c.shift_id, table.volunteer_id == pair.c.volunteer_id


_STANDINGS = _standings().execution_options(populate_existing=True)


def list_attempts_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[CodeAttempt]:
    """Return where a person has given wrong codes lately, by way of their places, which have an index."""
    shifts = select(SignUp.shift_id).where(SignUp.volunteer_id == volunteer_id)
    rows = select(CodeAttempt).where(CodeAttempt.shift_id.in_(shifts), CodeAttempt.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(CodeAttempt.last_failed_at).limit(limit)))
