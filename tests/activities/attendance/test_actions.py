from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance import actions, queries, rules
from services.activities.attendance.actions import Presence, Settlement
from services.activities.attendance.tables import Attendance
from services.activities.corrections import actions as corrections
from services.activities.corrections.actions import Decision
from services.activities.listings.tables import Shift
from shared.errors import ChangedSince, NotFound
from shared.events.activities import AttendanceRevised, AttendanceSettled, AttendanceVoided, EvidenceClass
from shared.ids import new_id
from shared.seen import Seen
from tests.activities.told import emitted
from tests.factories.activities import (
    FIRST_OF_JUNE,
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_listing,
    make_settled,
    make_shift,
    make_volunteer,
)

EVENING = at(20)


def decide(attendance: Attendance, **overrides: Any) -> Decision:
    decision = Decision(
        programme_id=attendance.programme_id,
        attendance_id=attendance.id,
        seen=Seen.of(attendance),
        reason="机构更正",
        decided_by=REVIEWER,
        at=EVENING,
    )
    return replace(decision, **overrides)


def presence(came: datetime, left: datetime, evidence: EvidenceClass = EvidenceClass.MANUAL) -> Presence:
    return Presence(came, left, evidence)


def told(tx: Session) -> list[tuple[type, Any, int, int]]:
    return [(type(fact), fact.attendance_id, fact.version, fact.service_minutes) for fact in emitted(tx)]


def history(tx: Session, attendance: Attendance) -> list[tuple[int, str, int, str]]:
    rows = queries.list_versions(tx, attendance.id)
    return [(row.version, row.kind, row.service_minutes, row.reason) for row in rows]


def state_of(shift: Shift, tx: Session) -> str:
    tx.refresh(shift)
    return shift.state


class TestArrive:
    def test_whoever_came_is_there_until_they_leave(self, tx: Session) -> None:
        """Nothing is settled by it, nothing told."""
        shift, volunteer = make_shift(tx), make_volunteer(tx)

        actions.arrive(tx, [(shift, volunteer.id, NINE)])

        [row] = tx.scalars(select(Attendance).where(Attendance.shift_id == shift.id))
        assert (row.programme_id, row.listing_id, row.partner_id) == (PROGRAMME, shift.listing_id, shift.partner_id)
        assert (row.volunteer_id, row.service_on, row.checked_in_at) == (volunteer.id, FIRST_OF_JUNE, NINE)
        assert (row.state, row.version, row.checked_out_at, row.service_minutes) == ("checked_in", 0, None, 0)
        assert emitted(tx) == []


class TestSettle:
    def test_a_settled_service_is_kept_and_told_in_full(self, tx: Session) -> None:
        """What the ledger hears is what the record says."""
        shift = make_shift(tx)

        record = make_settled(tx, shift, came=at(8, 50), left=at(11, 30, 59))

        assert (record.state, record.version, record.evidence) == ("settled", 1, "scanned")
        assert (record.checked_in_at, record.checked_out_at) == (at(8, 50), at(11, 30, 59))
        assert (record.started_at, record.ended_at, record.service_minutes) == (NINE, at(11, 30), 150)
        assert emitted(tx) == [
            AttendanceSettled(
                programme_id=PROGRAMME,
                attendance_id=record.id,
                version=1,
                partner_id=shift.partner_id,
                listing_id=shift.listing_id,
                shift_id=shift.id,
                volunteer_id=record.volunteer_id,
                started_at=NINE,
                service_on=FIRST_OF_JUNE,
                service_minutes=150,
                matchable_minutes=150,
                evidence=EvidenceClass.SCANNED,
            )
        ]
        [version] = queries.list_versions(tx, record.id)
        assert (version.kind, version.decided_by, version.decided_at) == ("settled", REVIEWER, at(11, 30, 59))
        assert (version.started_at, version.ended_at, version.evidence) == (NINE, at(11, 30), "scanned")
        assert state_of(shift, tx) == "held"

    def test_a_shift_over_midnight_belongs_to_its_first_day(self, tx: Session) -> None:
        """All of its minutes do, whatever the date was in Greenwich."""
        shift = make_shift(tx, starts_at=at(23), ends_at=at(26), service_on=FIRST_OF_JUNE)

        make_settled(tx, shift, came=at(23), left=at(26))

        [fact] = emitted(tx)
        assert (fact.service_on, fact.started_at.date(), fact.service_minutes) == (
            date(2022, 6, 1),
            date(2022, 6, 1),
            180,
        )

    def test_people_are_settled_together_each_for_themselves(self, tx: Session) -> None:
        """Overlaps are one person's own: two people in one minute are two minutes."""
        listing = make_listing(tx)
        early = make_shift(tx, listing=listing, number=1)
        late = make_shift(tx, listing=listing, number=2, starts_at=at(11), ends_at=at(13))
        people = [make_volunteer(tx).id for _ in range(3)]
        settlements = [
            Settlement(new_id(), person, shift, 1, presence(shift.starts_at, shift.ends_at), "名单", REVIEWER, EVENING)
            for shift in (late, early)
            for person in people
        ]

        actions.settle(tx, settlements)

        rows = tx.scalars(select(Attendance).where(Attendance.programme_id == PROGRAMME))
        found = {(row.shift_id, row.volunteer_id): row.service_minutes for row in rows}
        assert found == {(early.id, person): 180 for person in people} | {(late.id, person): 60 for person in people}
        assert [fact.service_minutes for fact in emitted(tx)] == [60] * 3 + [180] * 3
        assert {state_of(shift, tx) for shift in (early, late)} == {"held"}

    def test_nothing_to_settle_changes_nothing(self, tx: Session) -> None:
        """An import of people who have not left yet, say."""
        actions.settle(tx, [])
        assert emitted(tx) == []

    def test_a_few_are_returned_as_they_were_written(self, tx: Session) -> None:
        """With the neighbour whose minutes change; what is in hand already is up to date too."""
        later = make_settled(tx, make_shift(tx, starts_at=at(10), ends_at=at(13)), came=at(10), left=at(13))
        earlier = make_attendance(tx, make_shift(tx), volunteer_id=later.volunteer_id)
        shift, left = tx.get_one(Shift, earlier.shift_id), presence(NINE, NOON)

        written = actions.settle_few(
            tx, [Settlement(earlier.id, earlier.volunteer_id, shift, 1, left, "名单", REVIEWER, EVENING, known=earlier)]
        )

        assert written == {earlier.id: earlier, later.id: later}
        assert [(row.version, row.service_minutes) for row in (earlier, later)] == [(1, 180), (2, 60)]

    def test_an_earlier_service_found_later_takes_its_minutes_from_the_neighbour(self, tx: Session) -> None:
        """The neighbour gets a new version, with its own reason, and the ledger hears of both."""
        shift = make_shift(tx)
        later = make_settled(tx, make_shift(tx, starts_at=at(10), ends_at=at(13)), came=at(10), left=at(13))

        earlier = make_settled(tx, shift, volunteer_id=later.volunteer_id)

        tx.refresh(later)
        assert (earlier.service_minutes, later.service_minutes, later.version) == (180, 60, 2)
        assert (later.checked_in_at, later.checked_out_at, later.evidence) == (at(10), at(13), "scanned")
        assert told(tx)[1:] == [(AttendanceSettled, earlier.id, 1, 180), (AttendanceRevised, later.id, 2, 60)]
        assert history(tx, later) == [(1, "settled", 180, "made"), (2, "revised", 60, actions.OVERLAP)]

    def test_services_of_another_person_or_programme_are_no_neighbours(self, tx: Session) -> None:
        """They keep what they have."""
        make_settled(tx, make_shift(tx))
        make_settled(tx, make_shift(tx))
        assert [fact.service_minutes for fact in emitted(tx)] == [180, 180]


class TestCorrect:
    def test_a_correction_is_a_new_version_and_history_stays(self, tx: Session) -> None:
        """Who, when, why, and what was said before."""
        record = make_settled(tx, make_shift(tx))

        corrections.correct(tx, decide(record), presence(at(9, 30), at(11)))

        assert (record.state, record.version, record.service_minutes, record.evidence) == ("settled", 2, 90, "manual")
        assert (record.started_at, record.ended_at) == (at(9, 30), at(11))
        assert history(tx, record) == [(1, "settled", 180, "made"), (2, "revised", 90, "机构更正")]
        assert told(tx)[1:] == [(AttendanceRevised, record.id, 2, 90)]
        latest = queries.list_versions(tx, record.id)[-1]
        assert (latest.decided_by, latest.decided_at, latest.checked_in_at) == (REVIEWER, EVENING, at(9, 30))

    def test_a_missed_check_out_is_settled_by_its_correction(self, tx: Session) -> None:
        """As version 1: nothing was settled before."""
        shift = make_shift(tx)
        record = make_attendance(tx, shift)

        corrections.correct(tx, decide(record), presence(NINE, NOON, EvidenceClass.ATTESTED))

        assert (record.state, record.version, record.service_minutes, record.evidence) == (
            "settled",
            1,
            180,
            "attested",
        )
        assert told(tx) == [(AttendanceSettled, record.id, 1, 180)]
        assert state_of(shift, tx) == "held"

    def test_minutes_that_a_correction_frees_go_to_the_overlapping_service(self, tx: Session) -> None:
        """The neighbour gets a new version in the same transaction."""
        first = make_settled(tx, make_shift(tx))
        second = make_settled(
            tx,
            make_shift(tx, starts_at=at(10), ends_at=at(13)),
            came=at(10),
            left=at(13),
            volunteer_id=first.volunteer_id,
        )
        assert second.service_minutes == 60

        corrections.correct(tx, decide(first), presence(NINE, at(10, 30)))

        tx.refresh(second)
        assert (first.service_minutes, second.service_minutes, second.version) == (90, 150, 2)
        assert told(tx)[2:] == [(AttendanceRevised, first.id, 2, 90), (AttendanceRevised, second.id, 2, 150)]

    def test_the_same_times_again_are_a_version_all_the_same(self, tx: Session) -> None:
        """Somebody decided; the reason is kept."""
        record = make_settled(tx, make_shift(tx))
        corrections.correct(tx, decide(record), presence(NINE, NOON))
        assert history(tx, record)[1] == (2, "revised", 180, "机构更正")

    @pytest.mark.parametrize("read", [0, 2])
    def test_a_decision_on_another_reading_is_refused(self, tx: Session, read: int) -> None:
        """Two reviewers must not overwrite each other."""
        record = make_settled(tx, make_shift(tx))
        with pytest.raises(ChangedSince):
            corrections.correct(tx, decide(record, seen=Seen(tags=(str(read),))), presence(NINE, at(10)))
        with pytest.raises(ChangedSince):
            corrections.void(tx, decide(record, seen=Seen(tags=(str(read),))))
        assert len(history(tx, record)) == len(emitted(tx)) == 1

    @pytest.mark.parametrize(
        ("came", "left", "refusal"),
        [
            (NOON, NOON, rules.BadTimes),
            (NOON, NINE, rules.BadTimes),
            (at(8), at(9) + timedelta(hours=24), rules.BadTimes),
            (at(12), at(13), rules.BadTimes),
            (at(9) - timedelta(days=1), NOON - timedelta(days=1), rules.BadTimes),
            (NINE, EVENING + timedelta(seconds=1), rules.InTheFuture),
        ],
        ids=["zero", "negative", "25 hours", "after the shift", "another day", "future"],
    )
    def test_impossible_times_are_refused(
        self, tx: Session, came: datetime, left: datetime, refusal: type[Exception]
    ) -> None:
        """Nothing is written, nothing told."""
        record = make_settled(tx, make_shift(tx))
        now = EVENING if refusal is rules.InTheFuture else EVENING + timedelta(days=1)
        with pytest.raises(refusal):
            corrections.correct(tx, decide(record, at=now), presence(came, left))
        assert len(history(tx, record)) == len(emitted(tx)) == 1

    def test_records_of_another_programme_are_unknown(self, tx: Session) -> None:
        """As are records that do not exist."""
        record = make_settled(tx, make_shift(tx))
        for decision in (decide(record, programme_id=uuid4()), decide(record, attendance_id=uuid4())):
            with pytest.raises(NotFound):
                corrections.correct(tx, decision, presence(NINE, NOON))


class TestVoid:
    def test_a_voided_service_counts_nothing_and_stays_readable(self, tx: Session) -> None:
        """The minutes are gone, the record of who decided is not."""
        record = make_settled(tx, make_shift(tx))

        corrections.void(tx, decide(record))

        assert (record.state, record.version, record.service_minutes, record.matchable_minutes) == ("voided", 2, 0, 0)
        assert history(tx, record) == [(1, "settled", 180, "made"), (2, "voided", 0, "机构更正")]
        [_, fact] = emitted(tx)
        assert isinstance(fact, AttendanceVoided)
        assert (fact.version, fact.service_minutes, fact.matchable_minutes) == (2, 0, 0)

    def test_voided_is_for_good(self, tx: Session) -> None:
        """Neither a correction nor a second void touches it."""
        record = make_settled(tx, make_shift(tx))
        corrections.void(tx, decide(record))
        with pytest.raises(rules.AttendanceVoided):
            corrections.correct(tx, decide(record), presence(NINE, NOON))
        with pytest.raises(rules.AttendanceVoided):
            corrections.void(tx, decide(record))
        assert record.version == 2

    def test_there_must_be_something_to_take_back(self, tx: Session) -> None:
        """Who has not left has no minutes."""
        record = make_attendance(tx, make_shift(tx))
        with pytest.raises(rules.NotSettled):
            corrections.void(tx, decide(record))

    def test_what_it_frees_goes_to_the_neighbour(self, tx: Session) -> None:
        """And is not taken from it again by what is voided."""
        first = make_settled(tx, make_shift(tx))
        second = make_settled(tx, make_shift(tx), volunteer_id=first.volunteer_id)
        assert (first.service_minutes, second.service_minutes) == (180, 0)

        corrections.void(tx, decide(first))

        tx.refresh(second)
        assert (second.service_minutes, second.version, second.state) == (180, 2, "settled")
        assert told(tx)[2:] == [(AttendanceVoided, first.id, 2, 0), (AttendanceRevised, second.id, 2, 180)]


class TestSummary:
    def test_counts_what_happened_in_half_open_days(self, tx: Session) -> None:
        """Participations are settled; those without a check-out and voided ones are counted apart."""
        shift = make_shift(tx)
        first, voided = make_settled(tx, shift), make_settled(tx, shift, left=at(10))
        corrections.void(tx, decide(voided))
        make_attendance(tx, shift)
        make_settled(tx, make_shift(tx), volunteer_id=first.volunteer_id)
        make_shift(tx, state="cancelled", cancelled_because="台风")
        make_settled(tx, make_shift(tx, service_on=date(2022, 6, 2)))

        figures = queries.summarise(tx, programme_id=PROGRAMME, since=FIRST_OF_JUNE, until=date(2022, 6, 2))

        assert figures == {
            "participations": 2,
            "volunteers": 1,
            "without_check_out": 1,
            "voided": 1,
            "service_minutes": 180,
            "matchable_minutes": 180,
            "shifts": 3,
            "shifts_held": 2,
            "shifts_cancelled": 1,
            "partners_signed": 4,
            "partners_carried_over": 0,
        }
        nothing = queries.summarise(tx, programme_id=uuid4(), since=FIRST_OF_JUNE, until=date(2022, 6, 2))
        assert set(nothing.values()) == {0}
