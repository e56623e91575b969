from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, undefer

from services.activities.attendance.queries import list_versions
from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.check_ins.tables import CodeAttempt
from services.activities.consents import actions as consents
from services.activities.consents.queries import list_consents
from services.activities.consents.rules import Purpose
from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.queries import find_intervals
from services.activities.eligibility.rules import Interval
from services.activities.listings.tables import Shift
from services.activities.personal_data import actions
from services.activities.personal_data.actions import Request
from services.activities.personal_data.rules import ServiceUnderWay
from services.activities.personal_data.tables import Access
from services.activities.profiles import actions as profiles
from services.activities.profiles.queries import find_profiles
from services.activities.scans.tables import Scan
from services.activities.sign_ups.queries import find_place
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers.queries import find_suppressed, get_volunteer
from services.activities.volunteers.tables import SuppressedNumber, Volunteer
from shared.errors import NotFound
from shared.events.activities import VolunteerErased
from shared.imports.tables import Import, ImportRows
from shared.privacy import retention, suppression
from tests.activities.sheets import commit_by_id, sheet, stage
from tests.activities.told import emitted, told
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    make_attendance,
    make_listing,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # What other tests have left is younger.
MINUTE = timedelta(minutes=1)
MORNING = ("2022-06-01 09:00", "2022-06-01 12:00", "扫码")


def erase(tx: Session, person_id: UUID, *, by: UUID = REVIEWER, programme_id: UUID = PROGRAMME) -> Access:
    reason = None if by == person_id else "asked by letter"
    return actions.erase(tx, Request(programme_id, person_id, by, reason, NOON))


def shift_reference(tx: Session, shift: Shift) -> str:
    rows = text("SELECT reference FROM listing WHERE id = :id")
    return str(tx.execute(rows, {"id": shift.listing_id}).scalar_one())


@pytest.fixture
def person(tx: Session) -> Volunteer:
    return make_volunteer(tx, employee_number="E1", display_name="合成甲")


class TestErase:
    def test_name_and_number_are_gone_for_good(self, tx: Session, person: Volunteer) -> None:
        """What stands in their place is random, so that nothing leads back."""
        other = make_volunteer(tx, employee_number="E2", display_name="合成甲")
        for each in (person, other):
            erase(tx, each.id)

        pseudonyms = {(each.employee_number, each.display_name) for each in (person, other)}
        assert len(pseudonyms) == 2
        for number, name in pseudonyms:
            assert number.startswith("erased:")
            assert len(number) > 40
            assert "甲" not in name
        assert person.erased_at == NOON
        rows = "SELECT string_agg(v::text, ' ') FROM volunteer v WHERE id IN (:one, :two)"
        assert "合成甲" not in tx.execute(text(rows), {"one": person.id, "two": other.id}).scalar_one()

    def test_again_is_the_same_erasure(self, tx: Session, person: Volunteer) -> None:
        """Whoever asks the second time, the first record is returned."""
        first = erase(tx, person.id, by=person.id)
        left = person.employee_number

        assert erase(tx, person.id) is first
        assert person.employee_number == left
        assert (first.kind, first.accessed_by, first.reason, first.accessed_at) == ("erasure", person.id, None, NOON)

    def test_the_books_stay_whole(self, tx: Session, person: Volunteer) -> None:
        """Minutes, versions and facts told are by id, and stay; none of them is told anew."""
        shift = make_shift(tx)
        make_sign_up(tx, shift, volunteer=person)
        settled = make_settled(tx, shift, volunteer_id=person.id)
        told = emitted(tx)

        erase(tx, person.id)

        tx.refresh(settled)
        assert (settled.volunteer_id, settled.state, settled.service_minutes) == (person.id, "settled", 180)
        assert len(list_versions(tx, settled.id)) == 1
        assert emitted(tx) == told != []
        assert find_place(tx, shift_id=shift.id, volunteer_id=person.id) is not None

    def test_consents_are_withdrawn_and_stay_as_history(self, tx: Session, person: Volunteer) -> None:
        """By whoever erased."""
        record = consents.Record(PROGRAMME, person.id, Purpose.PARTNER_ROSTER, "zh", person.id, None, NINE)
        consents.give(tx, record, version=1)

        erase(tx, person.id)

        rows = list_consents(tx, volunteer_id=person.id)
        assert [(row.decision, row.recorded_by) for row in rows] == [("given", person.id), ("withdrawn", REVIEWER)]

    def test_the_profile_is_gone_and_the_dates_of_employment_stay(self, tx: Session, person: Volunteer) -> None:
        """What minutes rest on stays by id, as the minutes do."""
        said = profiles.Said(person.id, "研发", "上海", ("zh",), ())
        profiles.take_over(tx, [said], programme_id=PROGRAMME, by=REVIEWER, now=NINE)
        told = eligibility.Record(PROGRAMME, "letter", REVIEWER, NINE)
        eligibility.take_over(tx, told, {person.id: Interval(date(2020, 1, 1), None)})

        erase(tx, person.id)

        assert find_profiles(tx, [person.id]) == {}
        assert find_intervals(tx, [person.id]) == {person.id: [Interval(date(2020, 1, 1), None)]}

    def test_it_is_told_once(self, tx: Session, person: Volunteer) -> None:
        """Whoever keeps anything of the person lets it go."""
        erase(tx, person.id)
        erase(tx, person.id)
        gone = VolunteerErased(programme_id=PROGRAMME, volunteer_id=person.id, erased_at=NOON)
        assert [fact for fact in told(tx) if isinstance(fact, VolunteerErased)] == [gone]

    def test_places_ahead_are_given_back(self, tx: Session, person: Volunteer) -> None:
        """Also on a shift that runs and to which the person could still come."""
        ahead = make_shift(tx, starts_at=NOON + timedelta(days=7), ends_at=NOON + timedelta(days=7, hours=2))
        running = make_shift(tx, ends_at=NOON - 29 * MINUTE)
        over = make_shift(tx, ends_at=NOON - 30 * MINUTE)
        for shift in (ahead, running, over):
            make_sign_up(tx, shift, volunteer=person)

        erase(tx, person.id)

        places = [find_place(tx, shift_id=shift.id, volunteer_id=person.id) for shift in (ahead, running, over)]
        assert [place is not None for place in places] == [False, False, True]

    @pytest.mark.parametrize(("ended_ago", "refused"), [(29, True), (30, False)])
    def test_nobody_is_erased_in_the_middle_of_a_service(
        self, tx: Session, person: Volunteer, ended_ago: int, *, refused: bool
    ) -> None:
        """They check out first; once they cannot any more, a reviewer settles it by id, erased or not."""
        shift = make_shift(tx, ends_at=NOON - ended_ago * MINUTE)
        make_sign_up(tx, shift, volunteer=person)
        make_attendance(tx, shift, volunteer_id=person.id)
        if refused:
            with pytest.raises(ServiceUnderWay):
                erase(tx, person.id)
            assert person.erased_at is None
        else:
            erase(tx, person.id)
            assert person.erased_at == NOON

    def test_wrong_codes_are_forgotten_and_scans_stay_as_evidence(self, tx: Session, person: Volunteer) -> None:
        """Scans are by id, and what the minutes rest on."""
        shift = make_shift(tx)
        make_sign_up(tx, shift, volunteer=person)
        make_settled(tx, shift, volunteer_id=person.id)
        tx.add(CodeAttempt(shift_id=shift.id, volunteer_id=person.id, failed=1, last_failed_at=NINE))
        tx.add(Scan(shift_id=shift.id, volunteer_id=person.id, way="in", step=1, scanned_at=NINE))
        tx.flush()

        erase(tx, person.id)

        assert tx.scalars(select(CodeAttempt).where(CodeAttempt.volunteer_id == person.id)).all() == []
        assert len(tx.scalars(select(Scan).where(Scan.volunteer_id == person.id)).all()) == 1

    def test_marks_of_devices_are_forgotten(self, tx: Session, person: Volunteer) -> None:
        """No hours rest on them; others' stay until the shift is closed."""
        shift, other = make_shift(tx), make_volunteer(tx)
        merged = make_volunteer(tx, merged_into=person.id, merged_at=NINE)
        for each in (person, other, merged):
            make_sign_up(tx, shift, volunteer=each)
            scanned = {"way": "in", "step": 1, "scanned_at": NINE, "device_mark": b"1" * 16}
            tx.add(Scan(shift_id=shift.id, volunteer_id=each.id, **scanned))
        tx.flush()

        erase(tx, person.id)

        marks = {row[0]: row[1] for row in tx.execute(select(Scan.volunteer_id, Scan.device_mark))}
        assert [marks[each.id] for each in (person, merged, other)] == [None, None, b"1" * 16]

    def test_people_of_another_programme_are_not_found(self, tx: Session, person: Volunteer) -> None:
        """They stay as they are."""
        for programme_id, person_id in ((uuid4(), person.id), (PROGRAMME, uuid4())):
            with pytest.raises(NotFound):
                erase(tx, person_id, programme_id=programme_id)
        assert person.erased_at is None

    def test_who_was_erased_is_not_there_any_more(self, tx: Session, person: Volunteer) -> None:
        """Nothing can be done as them, nor taken out."""
        erase(tx, person.id)
        with pytest.raises(NotFound):
            get_volunteer(tx, programme_id=PROGRAMME, volunteer_id=person.id)
        with pytest.raises(NotFound):
            actions.export(tx, Request(PROGRAMME, person.id, REVIEWER, "why", NOON))


class TestNumbers:
    def test_only_a_keyed_digest_is_left_of_the_number(self, tx: Session, person: Volunteer) -> None:
        """By which the number is known again, in this programme alone."""
        erase(tx, person.id)

        [left] = tx.scalars(select(SuppressedNumber).where(SuppressedNumber.programme_id == PROGRAMME))
        assert left.erased_at == datetime(2022, 6, 1, tzinfo=UTC)  # The day: its instant is the volunteer's.
        assert b"E1" not in left.digest
        assert find_suppressed(tx, programme_id=PROGRAMME, numbers=["E0", "E1"]) == {"E1"}
        assert find_suppressed(tx, programme_id=REVIEWER, numbers=["E1"]) == set()

    def test_a_new_key_before_the_old_one_changes_nothing(self, tx: Session, person: Volunteer) -> None:
        """Digests name their key; without that key the number is a number like any other."""
        old, new = "the first of two secrets, long enough", "the second of two secrets, long enough"
        suppression.use([old])
        erase(tx, person.id)

        suppression.use([new, old])
        assert find_suppressed(tx, programme_id=PROGRAMME, numbers=["E1"]) == {"E1"}
        suppression.use([new])
        assert find_suppressed(tx, programme_id=PROGRAMME, numbers=["E1"]) == set()

    def test_a_list_of_people_names_who_was_erased(self, tx: Session, person: Volunteer) -> None:
        """The others get in."""
        erase(tx, person.id)

        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, ("E1", "合成甲"), ("E2", "合成乙")))

        assert (staged.creates, staged.rejects) == (1, 1)
        assert [(error["cell"], error["code"]) for error in staged.errors] == [("A2", "erased_earlier")]
        assert commit_by_id(tx, staged.id, skip_rejected=True).created == 1


class TestSheets:
    """What was staged or rejected before holds the person no more."""

    @pytest.fixture
    def whole(self, tx: Session) -> Callable[[UUID], Import]:
        def read(import_id: UUID) -> Import:
            rows = select(Import).where(Import.id == import_id)
            rows = rows.options(undefer(Import.reject_file), undefer(Import.errors), undefer(Import.samples))
            return tx.scalars(rows.execution_options(populate_existing=True)).one()

        return read

    def test_a_staged_sheet_that_names_them_goes_whole(
        self, tx: Session, person: Volunteer, whole: Callable[[UUID], Import]
    ) -> None:
        """By number or by name; one of others can be committed as before."""
        reference = shift_reference(tx, make_shift(tx))
        people = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, ("E1", "合成甲"), ("E3", "合成丙")))
        came = stage(tx, ATTENDANCE, sheet(ATTENDANCE, (reference, 1, "E1", *MORNING)))
        others = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, ("E3", "合成丙")))

        erase(tx, person.id)

        for import_id in (people.id, came.id):
            gone = whole(import_id)
            assert (gone.state, gone.samples, gone.file_name) == ("expired", {}, None)
        parts = tx.scalars(
            select(ImportRows.import_id).where(ImportRows.import_id.in_((people.id, came.id, others.id)))
        )
        assert set(parts) == {others.id}
        assert commit_by_id(tx, others.id).created == 1

    @pytest.mark.parametrize("ending", ["csv", "xlsx"])
    def test_a_reject_file_that_names_them_goes_too(
        self, tx: Session, person: Volunteer, whole: Callable[[UUID], Import], ending: str
    ) -> None:
        """And what is shown of its errors; a file that names others only stays."""
        theirs = sheet(VOLUNTEERS, ("E8", "合成丁"), ("E8", "合成甲"), ending=ending)
        others = sheet(VOLUNTEERS, ("E7", "合成乙"), ("E7", "合成乙"), ending=ending)
        first = stage(tx, VOLUNTEERS, theirs, file_name=f"a.{ending}")
        second = stage(tx, VOLUNTEERS, others, file_name=f"a.{ending}")

        erase(tx, person.id)

        assert (whole(first.id).reject_file, whole(first.id).errors) == (None, [])
        assert whole(second.id).reject_file is not None
        assert whole(second.id).errors != []

    @pytest.mark.parametrize("ending", ["csv", "xlsx"])
    def test_sheets_of_those_with_a_longer_number_or_name_stay(
        self, tx: Session, whole: Callable[[UUID], Import], ending: str
    ) -> None:
        """E100 is not E1000, and 22 is no day: whose sheet holds the same letters keeps it, staged or rejected."""
        shift = make_shift(tx, listing=make_listing(tx, reference="L22-22x"))
        erased = [
            make_volunteer(tx, employee_number=number, display_name=f"甲{number}").id for number in ("E100", "22")
        ]
        rows = ("E1000", "甲E1000"), ("222", "甲22号")
        people = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *rows, ending=ending), file_name=f"E1000.{ending}")
        wrong = sheet(VOLUNTEERS, *rows, *rows, ("E1000", "乙"), ending=ending)
        rejected = stage(tx, VOLUNTEERS, wrong, file_name=f"a.{ending}")
        make_volunteer(tx, employee_number="E1001")
        days = ("2022-06-22 09:22", "2022-06-22 12:00", "扫码")
        content = sheet(ATTENDANCE, (shift_reference(tx, shift), 1, "E1001", *days), ending=ending)
        came = stage(tx, ATTENDANCE, content, file_name=f"a.{ending}")

        for person_id in erased:
            erase(tx, person_id)

        assert [whole(each.id).state for each in (people, rejected, came)] == ["staged"] * 3
        assert whole(rejected.id).reject_file is not None

    def test_a_sheet_whose_name_holds_the_persons_goes(
        self, tx: Session, person: Volunteer, whole: Callable[[UUID], Import]
    ) -> None:
        """Chinese puts no space behind a name."""
        named = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, ("E3", "合成丙")), file_name="合成甲的名单.csv")
        erase(tx, person.id)
        assert whole(named.id).file_name is None

    def test_other_programmes_sheets_are_not_touched(
        self, tx: Session, person: Volunteer, whole: Callable[[UUID], Import]
    ) -> None:
        """The same number there is somebody else's."""
        elsewhere = uuid4()
        there = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, ("E1", "合成甲")), programme_id=elsewhere)
        erase(tx, person.id)
        assert whole(there.id).state == "staged"


class TestForgetExpired:
    def test_each_kind_goes_when_its_time_is_over(self, tx: Session) -> None:
        """And not an instant before; what the scans proved stays settled."""
        now = LONG_AGO
        shift = make_shift(tx)
        settled = make_settled(tx, shift)
        for way, late in (("in", timedelta(0)), ("out", timedelta(microseconds=1))):
            when = retention.before("scans", now) - late
            tx.add(Scan(shift_id=shift.id, volunteer_id=settled.volunteer_id, way=way, step=1, scanned_at=when))
        for late in (timedelta(0), timedelta(microseconds=1)):
            when = retention.before("code_attempts", now) - late
            person = make_volunteer(tx)
            tx.add(CodeAttempt(shift_id=shift.id, volunteer_id=person.id, failed=1, last_failed_at=when))
            when = retention.before("suppressed_numbers", now) - late
            tx.add(SuppressedNumber(programme_id=PROGRAMME, digest=person.id.bytes, key_id="k", erased_at=when))
        tx.flush()

        forgotten = actions.forget_expired(tx, now=now)

        assert forgotten == {"code_attempts": 1, "scans": 1, "suppressed_numbers": 1}
        assert [scan.way for scan in tx.scalars(select(Scan).where(Scan.shift_id == shift.id))] == ["in"]
        tx.refresh(settled)
        assert (settled.state, settled.service_minutes) == ("settled", 180)

    def test_a_backlog_goes_a_batch_a_time(self, tx: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        """The next run goes on where this one ended."""
        monkeypatch.setattr(retention, "AT_ONCE", 2)
        for number in range(3):
            digest = bytes([number])
            tx.add(
                SuppressedNumber(
                    programme_id=PROGRAMME, digest=digest, key_id="k", erased_at=datetime(1990, 1, 1, tzinfo=UTC)
                )
            )
        tx.flush()
        counts = [actions.forget_expired(tx, now=LONG_AGO)["suppressed_numbers"] for _ in range(3)]
        assert counts == [2, 1, 0]
