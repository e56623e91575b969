"""Days are counted over as what was told of them says, whenever it was committed."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Fact, Presence
from services.activities.attendance.tables import Attendance
from services.activities.corrections import actions as corrections
from services.activities.corrections.actions import Decision
from services.activities.manifests import actions, queries
from services.activities.manifests.tables import DayManifest, ManifestRun
from services.activities.merges import actions as merges
from shared.database.sessions import Database
from shared.events.activities import AttendanceVoided, EvidenceClass
from shared.events.activities_days import DayManifested
from shared.seen import ANYTHING
from tests.activities.racing import SECONDS, held
from tests.activities.told import emitted, emitted_of
from tests.factories.activities import (
    FIRST_OF_JUNE,
    NINE,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_listing,
    make_merge,
    make_round_calendar,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

NIGHT = datetime.fromisoformat("2022-06-02T02:07+08:00")
DAY = timedelta(days=1)


def hash_of_day(facts: Iterable[Fact], *, programme_id: UUID = PROGRAMME, service_on: date = FIRST_OF_JUNE) -> str:
    """Make a day's hash from what was told of it, as the contract says: with nothing of the service's."""
    latest: dict[str, Fact] = {}
    for fact in facts:
        known = latest.get(str(fact.attendance_id))
        if fact.service_on == service_on and (known is None or known.version < fact.version):
            latest[str(fact.attendance_id)] = fact
    lines = [f"popcandy.day_manifest.v1,{programme_id},{service_on}"]
    for attendance_id in sorted(latest):
        it = latest[attendance_id]
        state = "voided" if isinstance(it, AttendanceVoided) else "settled"
        lines.append(
            f"{it.attendance_id},{it.version},{state},{it.partner_id},{it.listing_id},{it.shift_id},{it.volunteer_id},"
            f"{int(it.started_at.timestamp())},{it.service_minutes},{it.matchable_minutes},{it.evidence.value}"
        )
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def manifests(tx: Session, programme_id: UUID = PROGRAMME) -> list[DayManifest]:
    rows = queries.manifests_of(programme_id).order_by(DayManifest.service_on, DayManifest.version)
    return list(tx.scalars(rows))


def content(row: DayManifest) -> dict[str, Any]:
    names = ("programme_id", "service_on", "version", "attendances", "voided", "service_minutes", "matchable_minutes")
    return {name: getattr(row, name) for name in (*names, "sha256", "made_at")}


def decide(attendance: Attendance) -> Decision:
    return Decision(attendance.programme_id, attendance.id, ANYTHING, "更正", REVIEWER, at(20))


def correct(tx: Session, attendance: Attendance, *, left: datetime) -> None:
    corrections.correct(tx, decide(attendance), Presence(NINE, left, EvidenceClass.MANUAL))


class TestCountNightly:
    def test_a_day_is_what_was_told_of_it(self, tx: Session) -> None:
        """Settled, corrected and taken back; whoever has not left counts for nothing. It is told once."""
        shift = make_shift(tx)
        whole, shorter, never = (make_settled(tx, shift) for _ in range(3))
        correct(tx, shorter, left=at(10, 30))
        corrections.void(tx, decide(never))
        make_attendance(tx, shift)
        make_settled(tx, make_shift(tx, service_on=FIRST_OF_JUNE + DAY))

        actions.count_nightly(tx, now=NIGHT)

        first, second = manifests(tx)
        assert content(first) == {
            "programme_id": PROGRAMME, "service_on": FIRST_OF_JUNE, "version": 1, "attendances": 2, "voided": 1,
            "service_minutes": 180 + 90, "matchable_minutes": 180 + 90, "sha256": hash_of_day(emitted(tx)),
            "made_at": NIGHT,
        }  # fmt: skip
        assert whole.service_minutes + shorter.service_minutes == first.service_minutes
        assert second.sha256 == hash_of_day(emitted(tx), service_on=FIRST_OF_JUNE + DAY)
        assert emitted_of(tx, DayManifested) == [DayManifested(**content(row)) for row in (first, second)]

    def test_again_makes_nothing_new(self, tx: Session) -> None:
        """Neither in the same night nor in the next, though what is looked at again is more than what is new."""
        make_settled(tx, make_shift(tx))
        for now in (NIGHT, NIGHT + timedelta(hours=1), NIGHT + DAY):
            actions.count_nightly(tx, now=now)

        assert [row.version for row in manifests(tx)] == [1]
        assert len(emitted_of(tx, DayManifested)) == 1

    def test_what_changes_later_makes_another_version_of_that_day_alone(self, tx: Session) -> None:
        """A late claim or a correction; the one before stays as it was, and cannot be changed."""
        late = make_settled(tx, make_shift(tx))
        make_settled(tx, make_shift(tx, service_on=FIRST_OF_JUNE + DAY))
        actions.count_nightly(tx, now=NIGHT + DAY)
        correct(tx, late, left=at(11))
        actions.count_nightly(tx, now=NIGHT + 2 * DAY)

        first, second, other = manifests(tx)
        assert [(row.service_on, row.version) for row in (first, second, other)] == [
            (FIRST_OF_JUNE, 1), (FIRST_OF_JUNE, 2), (FIRST_OF_JUNE + DAY, 1),
        ]  # fmt: skip
        assert (first.service_minutes, second.service_minutes) == (180, 120)
        assert second.sha256 == hash_of_day(emitted(tx)) != first.sha256
        with pytest.raises(DBAPIError), tx.begin_nested():
            tx.execute(text("UPDATE day_manifest SET version = 9"))

    def test_merged_records_are_counted_as_they_were_told_anew(self, tx: Session) -> None:
        """Of the person who stays: the same minutes, by another id, are another content."""
        kept, merged = make_volunteer(tx), make_volunteer(tx)
        shift = make_shift(tx)
        make_sign_up(tx, shift, volunteer=merged)
        make_settled(tx, shift, volunteer_id=merged.id)
        actions.count_nightly(tx, now=NIGHT)
        merge = make_merge(tx, kept_id=kept.id, merged_id=merged.id)
        merges.approve(tx, merges.Decision(PROGRAMME, merge.id, ANYTHING, uuid4(), at(20)))
        actions.count_nightly(tx, now=NIGHT + DAY)

        first, second = manifests(tx)
        assert first.service_minutes == second.service_minutes == 180
        assert second.sha256 == hash_of_day(emitted(tx)) != first.sha256

    def test_each_programme_has_its_own_night_and_its_own_lines(self, tx: Session) -> None:
        """While it is two in Shanghai, it is the day before in New York."""
        far = uuid4()
        make_round_calendar(tx, programme_id=far, timezone="America/New_York")
        make_settled(tx, make_shift(tx))
        make_settled(tx, make_shift(tx, listing=make_listing(tx, programme_id=far)))
        actions.count_nightly(tx, now=NIGHT)
        run = tx.get_one(ManifestRun, far)
        assert (len(manifests(tx)), run.night) == (1, FIRST_OF_JUNE)

        make_settled(tx, make_shift(tx, listing=make_listing(tx, programme_id=far)))
        actions.count_nightly(tx, now=NIGHT + timedelta(hours=11))
        assert [row.attendances for row in manifests(tx, far)] == [1]
        actions.count_nightly(tx, now=NIGHT + timedelta(hours=12))

        assert [row.attendances for row in manifests(tx, far)] == [1, 2]
        assert manifests(tx, far)[-1].sha256 == hash_of_day(emitted(tx, far), programme_id=far)

    def test_an_outage_is_made_up_for_in_one_night(self, tx: Session) -> None:
        """Every day that has changed since, however many nights nobody counted."""
        days = [FIRST_OF_JUNE + number * DAY for number in range(5)]
        for day in days:
            make_settled(tx, make_shift(tx, service_on=day))
        actions.count_nightly(tx, now=NIGHT + 30 * DAY)

        assert [row.service_on for row in manifests(tx)] == days

    def test_a_restored_database_is_counted_from_the_start(self, tx: Session) -> None:
        """Its transactions have smaller numbers than what was seen before."""
        actions.count_nightly(tx, now=NIGHT)
        make_settled(tx, make_shift(tx))
        actions.count_nightly(tx, now=NIGHT + DAY)
        tx.get_one(ManifestRun, PROGRAMME).seen_until = 2**60
        make_settled(tx, make_shift(tx))
        actions.count_nightly(tx, now=NIGHT + 2 * DAY)

        assert [row.attendances for row in manifests(tx)] == [1, 2]


def settle(tx: Session, programme_id: UUID, *, service_on: date = FIRST_OF_JUNE) -> None:
    listing = make_listing(tx, programme_id=programme_id)
    make_settled(tx, make_shift(tx, listing=listing, service_on=service_on))


def count(database: Database, *, now: datetime) -> int:
    with database.transaction() as tx:
        return actions.count_nightly(tx, now=now)


def counted(database: Database, programme_id: UUID) -> list[tuple[date, int]]:
    with database.transaction() as tx:
        return [(row.service_on, row.attendances) for row in manifests(tx, programme_id)]


class TestAtOnce:
    def test_what_commits_late_is_counted_the_next_night(self, database: Database) -> None:
        """It began first, decided at an earlier instant, and others have come and been counted in between."""
        programme_id = uuid4()
        with database.transaction() as late:
            settle(late, programme_id)
            with database.transaction() as tx:
                settle(tx, programme_id, service_on=FIRST_OF_JUNE + DAY)
            count(database, now=NIGHT + DAY)
            assert counted(database, programme_id) == [(FIRST_OF_JUNE + DAY, 1)]
        count(database, now=NIGHT + 2 * DAY)

        assert counted(database, programme_id) == [(FIRST_OF_JUNE, 1), (FIRST_OF_JUNE + DAY, 1)]
        with database.transaction() as tx:
            sums = select(func.sum(Attendance.service_minutes)).where(Attendance.programme_id == programme_id)
            assert tx.scalars(sums).one() == sum(row.service_minutes for row in manifests(tx, programme_id)) == 360

    def test_two_that_count_at_once_count_once(self, database: Database) -> None:
        """One waits for the other, and finds the night done; the first night of a programme, and every other."""
        programme_id = uuid4()
        for now in (NIGHT, NIGHT + DAY):
            with database.transaction() as tx:
                settle(tx, programme_id)
            with held(database, partial(actions.count_nightly, now=now)) as start:
                second = start(partial(count, database, now=now))
            assert second.result(SECONDS) == 0

        assert counted(database, programme_id) == [(FIRST_OF_JUNE, 1), (FIRST_OF_JUNE, 2)]
        with database.transaction() as tx:
            assert len(emitted_of(tx, DayManifested, programme_id)) == 2


def test_changed_days_are_found_by_an_index(tx: Session) -> None:
    """A night costs what has changed since the last, not what there is."""
    tx.execute(text("SET LOCAL enable_seqscan = off"))
    plan = tx.scalars(
        text("EXPLAIN SELECT attendance_id FROM attendance_version WHERE written_in >= :since"), {"since": 2**40}
    ).all()  # fmt: skip

    assert any("attendance_version_written_in_idx" in line for line in plan)
