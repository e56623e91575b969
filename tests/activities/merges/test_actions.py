from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.activities.attendance.queries import list_attendance_of
from services.activities.attendance.tables import Attendance
from services.activities.check_ins.tables import CodeAttempt
from services.activities.corrections import actions as corrections
from services.activities.corrections.actions import Decision as Correction
from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.queries import find_intervals
from services.activities.eligibility.rules import Interval
from services.activities.listings.tables import Shift
from services.activities.merges import actions
from services.activities.merges.actions import Decision
from services.activities.merges.rules import (
    MergeBlocked,
    MergeDecided,
    MergeProposed,
    OwnMergeApproved,
    SameRecord,
)
from services.activities.merges.tables import Merge
from services.activities.personal_data import actions as personal_data
from services.activities.profiles import actions as profiles
from services.activities.profiles.queries import find_profiles
from services.activities.scans.tables import Scan
from services.activities.sign_ups.queries import find_states_of
from services.activities.volunteers.queries import find_merged, get_volunteer, known_people, lock_volunteer
from services.activities.volunteers.tables import Volunteer
from shared.errors import ChangedSince, NotFound
from shared.events.activities import (
    AttendanceRevised,
    AttendanceSettled,
    AttendanceVoided,
    VolunteerErased,
    VolunteerMerged,
)
from shared.seen import ANYTHING, Seen
from tests.activities.told import emitted, told
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_merge,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

OTHER = UUID("01800000-0000-7000-8000-00000000000c")
EVENING = at(20)


@pytest.fixture
def kept(tx: Session) -> Volunteer:
    return make_volunteer(tx, employee_number="E1", display_name="合成甲")


@pytest.fixture
def merged(tx: Session) -> Volunteer:
    return make_volunteer(tx, employee_number="E2", display_name="合成乙")


@pytest.fixture
def merge(tx: Session, kept: Volunteer, merged: Volunteer) -> Merge:
    return make_merge(tx, kept_id=kept.id, merged_id=merged.id)


def decide(merge: Merge, **overrides: Any) -> Decision:
    return replace(Decision(PROGRAMME, merge.id, Seen.of(merge), OTHER, EVENING), **overrides)


def settled(
    tx: Session, person: Volunteer, shift: Shift, *, came: datetime = NINE, left: datetime = NOON
) -> Attendance:
    make_sign_up(tx, shift, volunteer=person, state="attended", ended_at=left)
    return make_settled(tx, shift, came=came, left=left, volunteer_id=person.id)


def stands(tx: Session, row: Attendance) -> tuple[UUID, str, int, int, int]:
    tx.refresh(row)
    return row.volunteer_id, row.state, row.version, row.service_minutes, row.matchable_minutes


class TestPropose:
    def propose(self, tx: Session, kept_id: UUID, merged_id: UUID) -> Merge:
        return actions.propose(
            tx, programme_id=PROGRAMME, kept_id=kept_id, merged_id=merged_id, reason="双重登记", by=REVIEWER, now=NINE
        )

    def test_it_changes_nothing_but_that_it_is_said(self, tx: Session, kept: Volunteer, merged: Volunteer) -> None:
        """By whom, when and why."""
        made = self.propose(tx, kept.id, merged.id)
        assert (made.reason, made.maker_id, made.proposed_at, made.outcome) == ("双重登记", REVIEWER, NINE, None)
        assert get_volunteer(tx, programme_id=PROGRAMME, volunteer_id=merged.id) is merged
        assert told(tx) == []

    def test_only_one_is_open_about_a_record(self, tx: Session, kept: Volunteer, merged: Volunteer) -> None:
        """Once it is declined, it may be proposed again."""
        first = self.propose(tx, kept.id, merged.id)
        with pytest.raises(MergeProposed):
            self.propose(tx, make_volunteer(tx).id, merged.id)
        actions.decline(tx, decide(first), because="同名不同人")
        assert self.propose(tx, kept.id, merged.id).id != first.id

    def test_records_are_two_and_there(self, tx: Session, kept: Volunteer, merged: Volunteer) -> None:
        """Of this programme, neither erased nor merged."""
        with pytest.raises(SameRecord):
            self.propose(tx, kept.id, kept.id)
        stranger = make_volunteer(tx, programme_id=uuid4())
        merged.merged_into, merged.merged_at = kept.id, NINE
        for gone in (stranger.id, uuid4(), merged.id):
            for pair in ((kept.id, gone), (gone, kept.id)):
                with pytest.raises(NotFound):
                    self.propose(tx, *pair)


class TestDecide:
    def test_the_maker_does_not_approve(self, tx: Session, merge: Merge) -> None:
        """But may take it back."""
        with pytest.raises(OwnMergeApproved):
            actions.approve(tx, decide(merge, by=REVIEWER))
        actions.decline(tx, decide(merge, by=REVIEWER), because="弄错了")
        assert (merge.outcome, merge.declined_because, merge.decider_id) == ("declined", "弄错了", REVIEWER)

    def test_what_is_decided_stays_so(self, tx: Session, merge: Merge) -> None:
        """Either way, whatever is asked then."""
        actions.approve(tx, decide(merge))
        with pytest.raises(MergeDecided):
            actions.approve(tx, decide(merge, seen=ANYTHING))
        with pytest.raises(MergeDecided):
            actions.decline(tx, decide(merge, seen=ANYTHING), because="x")

    def test_on_an_old_reading_nothing_is_decided(self, tx: Session, merge: Merge) -> None:
        """Nor in another programme."""
        for wrong, refusal in (({"seen": Seen(("x",))}, ChangedSince), ({"programme_id": uuid4()}, NotFound)):
            with pytest.raises(refusal):
                actions.approve(tx, decide(merge, **wrong))
            with pytest.raises(refusal):
                actions.decline(tx, decide(merge, **wrong), because="x")

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE merge SET outcome = 'approved', decider_id = maker_id, decided_at = now()",
            "UPDATE merge SET outcome = 'approved'",
            "UPDATE merge SET outcome = 'declined', decider_id = maker_id, decided_at = now()",
            "UPDATE merge SET kept_id = merged_id",
            "UPDATE merge SET outcome = 'maybe', decider_id = kept_id, decided_at = now()",
            "UPDATE volunteer SET merged_into = id, merged_at = now()",
            "UPDATE volunteer SET merged_at = now()",
        ],
    )
    def test_the_database_wants_two_people_and_two_records(self, tx: Session, merge: Merge, change: str) -> None:
        """Even if an action were wrong."""
        with pytest.raises(DBAPIError) as refused, tx.begin_nested():
            tx.execute(text(change))
        assert getattr(refused.value.orig, "sqlstate", None) == "23514"
        assert merge.outcome is None


class TestApprove:
    def test_a_record_is_left_that_can_do_nothing(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """It points to the other one, as do those that pointed to it; its number names nobody any more."""
        older = make_volunteer(tx, merged_into=merged.id, merged_at=NINE)

        actions.approve(tx, decide(merge))

        for each in (merged, older):
            tx.refresh(each)
        assert (merged.merged_into, merged.merged_at) == (kept.id, EVENING)
        assert (older.merged_into, older.merged_at) == (kept.id, NINE)
        with pytest.raises(NotFound) as refused:
            lock_volunteer(tx, programme_id=PROGRAMME, volunteer_id=merged.id)
        assert refused.value.facts["merged_into"] == kept.id
        assert known_people(tx, programme_id=PROGRAMME, numbers=["E1", "E2"]).keys() == {"E1"}
        assert find_merged(tx, programme_id=PROGRAMME, numbers=["E1", "E2"]) == {"E2"}
        assert told(tx) == [
            VolunteerMerged(
                programme_id=PROGRAMME, volunteer_id=merged.id, merged_into=kept.id, merged_at=EVENING
            )
        ]  # fmt: skip

    def test_services_go_over_and_are_told_anew(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """Of the same minutes, as the other person's; what was voided stays void, and what never ended goes on."""
        mine = settled(tx, kept, make_shift(tx))
        over = settled(tx, merged, make_shift(tx, starts_at=at(13), ends_at=at(15)), came=at(13), left=at(15))
        void = settled(tx, merged, make_shift(tx, starts_at=at(16), ends_at=at(17)), came=at(16), left=at(17))
        corrections.void(tx, Correction(PROGRAMME, void.id, ANYTHING, "误报", REVIEWER, EVENING))
        late = make_shift(tx, starts_at=at(17), ends_at=at(18))
        make_sign_up(tx, late, volunteer=merged)
        never_left = make_attendance(tx, late, volunteer_id=merged.id)
        before = len(emitted(tx))

        actions.approve(tx, decide(merge))

        assert stands(tx, mine) == (kept.id, "settled", 1, 180, 180)
        assert stands(tx, over) == (kept.id, "settled", 2, 120, 120)
        assert stands(tx, void) == (kept.id, "voided", 3, 0, 0)
        assert stands(tx, never_left) == (merged.id, "voided", 1, 0, 0)
        open_ = [row for row in list_attendance_of(tx, volunteer_id=kept.id, limit=9) if row.state == "checked_in"]
        assert [(row.shift_id, row.checked_in_at) for row in open_] == [(late.id, at(17))]
        facts = {fact.attendance_id: fact for fact in emitted(tx)[before:]}
        assert {key: (type(fact), fact.version, fact.volunteer_id) for key, fact in facts.items()} == {
            over.id: (AttendanceRevised, 2, kept.id),
            void.id: (AttendanceVoided, 3, kept.id),
            never_left.id: (AttendanceVoided, 1, merged.id),
        }

    def test_overlapping_services_are_the_minutes_of_their_union(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """One person was in one place at a time, whatever two records said: both are revised."""
        mine = settled(tx, kept, make_shift(tx))
        early = make_shift(tx, starts_at=at(8), ends_at=at(10))
        theirs = settled(tx, merged, early, came=at(8), left=at(10))

        actions.approve(tx, decide(merge))

        assert stands(tx, theirs) == (kept.id, "settled", 2, 120, 120)
        assert stands(tx, mine) == (kept.id, "settled", 2, 120, 120)

    @pytest.mark.parametrize(("left", "minutes", "versions"), [(at(11), 120, 1), (NOON, 180, 2)])
    def test_on_a_shift_of_both_the_longer_service_is_kept(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer,
        left: datetime, minutes: int, versions: int,
    ) -> None:  # fmt: skip
        """By the record that stays; the other one's is taken back, so that the books pay once."""
        shift = make_shift(tx)
        mine = settled(tx, kept, shift, left=at(11))
        theirs = settled(tx, merged, shift, left=left)

        actions.approve(tx, decide(merge))

        assert stands(tx, mine) == (kept.id, "settled", versions, minutes, minutes)
        assert stands(tx, theirs) == (merged.id, "voided", 2, 0, 0)

    def test_a_missing_check_out_is_found_with_the_other_record(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """They came as one and left as the other."""
        shift = make_shift(tx)
        make_sign_up(tx, shift, volunteer=kept)
        mine = make_attendance(tx, shift, volunteer_id=kept.id)
        theirs = settled(tx, merged, shift)

        actions.approve(tx, decide(merge))

        assert stands(tx, mine) == (kept.id, "settled", 1, 180, 180)
        assert stands(tx, theirs) == (merged.id, "voided", 2, 0, 0)
        assert [type(fact) for fact in emitted(tx) if fact.attendance_id == mine.id] == [AttendanceSettled]

    def test_sign_ups_go_over_where_there_is_none(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """Who missed a shift as one record and came as the other did not miss it."""
        ahead = make_shift(tx, starts_at=at(33), ends_at=at(35))
        both, missed = make_shift(tx), make_shift(tx, starts_at=at(13), ends_at=at(15))
        make_sign_up(tx, ahead, volunteer=merged)
        for person, state in ((kept, "withdrawn"), (merged, "no_show")):
            make_sign_up(tx, both, volunteer=person, state=state, ended_at=NINE)
        make_sign_up(tx, missed, volunteer=kept, state="missed", ended_at=EVENING)
        settled(tx, merged, missed, came=at(13), left=at(15))

        actions.approve(tx, decide(merge))

        assert find_states_of(tx, volunteer_id=kept.id) == {
            ahead.id: "confirmed", both.id: "withdrawn", missed.id: "attended",
        }  # fmt: skip
        assert find_states_of(tx, volunteer_id=merged.id) == {both.id: "no_show", missed.id: "attended"}

    def test_scans_go_with_the_service(self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer) -> None:
        """They are what it rests on, each with its device's mark; wrong codes are nobody's any more."""
        shift, both = make_shift(tx), make_shift(tx)
        for person, where in ((merged, shift), (merged, both), (kept, both)):
            scanned = {"way": "in", "step": 1, "scanned_at": NINE, "device_mark": where.id.bytes}
            tx.add(Scan(shift_id=where.id, volunteer_id=person.id, **scanned))
        tx.add(CodeAttempt(shift_id=shift.id, volunteer_id=merged.id, failed=1, last_failed_at=NINE))
        tx.flush()

        actions.approve(tx, decide(merge))

        columns = Scan.shift_id, Scan.volunteer_id, Scan.device_mark
        rows = select(*columns).where(Scan.volunteer_id.in_((kept.id, merged.id)))
        pairs = ((shift, kept), (both, kept), (both, merged))
        found = {(where.id, person.id, where.id.bytes) for where, person in pairs}
        assert {tuple(row) for row in tx.execute(rows)} == found
        assert tx.scalars(select(CodeAttempt).where(CodeAttempt.volunteer_id == merged.id)).all() == []

    def test_profiles_become_one(self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer) -> None:
        """Where both say something, the record that stays is right."""
        said = [
            profiles.Said(kept.id, "研发", None, ("zh",), ("a",)),
            profiles.Said(merged.id, "市场", "上海", ("en",), ("a", "b")),
        ]
        profiles.take_over(tx, said, programme_id=PROGRAMME, by=REVIEWER, now=NINE)

        actions.approve(tx, decide(merge))

        found = find_profiles(tx, [kept.id, merged.id])
        assert found.keys() == {kept.id}
        row = found[kept.id]
        assert (row.department, row.city, row.languages, row.skills) == ("研发", "上海", ["en", "zh"], ["a", "b"])

    def test_dates_of_employment_are_united_and_judge_the_minutes(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """Employed twice, under two numbers: a service within either may be matched."""
        outside = settled(tx, merged, make_shift(tx))
        told_ = eligibility.Record(PROGRAMME, "letter", REVIEWER, NINE)
        years = Interval(date(2018, 1, 1), date(2020, 1, 1)), Interval(date(2019, 1, 1), date(2022, 6, 1))
        eligibility.replace_all(tx, told_, {kept.id: [years[0]], merged.id: [years[1]]})

        actions.approve(tx, decide(merge))

        assert find_intervals(tx, [kept.id])[kept.id] == [Interval(date(2018, 1, 1), date(2022, 6, 1))]
        assert stands(tx, outside) == (kept.id, "settled", 2, 180, 0)

    def test_shifts_that_a_person_has_to_decide_about_stand_against_it(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """All are listed; nothing is changed or told."""
        ahead = make_shift(tx, starts_at=at(33), ends_at=at(35))
        for person in (kept, merged):
            make_sign_up(tx, ahead, volunteer=person)
        shift = make_shift(tx)
        mine = settled(tx, kept, shift)
        settled(tx, merged, shift)
        corrections.void(tx, Correction(PROGRAMME, mine.id, ANYTHING, "误报", REVIEWER, NOON))
        running = make_shift(tx, starts_at=at(19), ends_at=at(21))
        make_attendance(tx, running, volunteer_id=make_sign_up(tx, running, volunteer=merged).volunteer_id)
        before = told(tx)

        with pytest.raises(MergeBlocked) as refused:
            actions.approve(tx, decide(merge))

        assert refused.value.facts["shifts"] == {
            str(ahead.id): "open_sign_up", str(shift.id): "voided", str(running.id): "under_way",
        }  # fmt: skip
        assert (told(tx), merge.outcome) == (before, None)


class TestAfterwards:
    def test_an_erasure_is_of_all_records(self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer) -> None:
        """Asked for by the one that stays; the others are not found by themselves."""
        actions.approve(tx, decide(merge))
        with pytest.raises(NotFound):
            personal_data.erase(tx, personal_data.Request(PROGRAMME, merged.id, REVIEWER, "asked", EVENING))

        personal_data.erase(tx, personal_data.Request(PROGRAMME, kept.id, REVIEWER, "asked", EVENING))

        for each in (kept, merged):
            tx.refresh(each)
            assert each.employee_number.startswith("erased:")
        erased = {fact.volunteer_id for fact in told(tx) if isinstance(fact, VolunteerErased)}
        assert erased == {kept.id, merged.id}

    def test_an_export_shows_what_either_record_had(
        self, tx: Session, merge: Merge, kept: Volunteer, merged: Volunteer
    ) -> None:
        """With the record that went, and why."""
        shift = make_shift(tx)
        for person in (kept, merged):
            settled(tx, person, shift)
        actions.approve(tx, decide(merge))

        found = personal_data.export(tx, personal_data.Request(PROGRAMME, kept.id, REVIEWER, "asked", EVENING))

        [former] = found.former
        assert (former.id, former.employee_number, former.merged_at) == (merged.id, "E2", EVENING)
        assert (former.reason, former.maker_id, former.decider_id) == ("made", REVIEWER, OTHER)
        assert {row.volunteer_id for row in found.attendances} == {kept.id, merged.id}
        assert len(found.sign_ups) == 2
