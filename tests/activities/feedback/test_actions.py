from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.corrections import actions as corrections
from services.activities.feedback import actions, queries, rules
from services.activities.feedback.actions import Given, Subject
from services.activities.feedback.tables import Feedback, FeedbackVersion
from services.activities.feedback_forms.rules import AnswersInvalid, FormOutdated, Side
from services.activities.incidents.tables import Incident
from services.activities.personal_data import actions as personal_data
from services.activities.personal_data.actions import Request
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound, ReadFirst, Refusal
from shared.events.activities_feedback import FeedbackReceived, FeedbackSide, Rating
from shared.events.activities_incidents import IncidentOpened
from shared.seen import Seen
from tests.activities.door import Door
from tests.activities.racing import held
from tests.activities.told import emitted_of
from tests.factories.activities import (
    FIRST_OF_JUNE,
    NOON,
    PROGRAMME,
    REVIEWER,
    make_attendance,
    make_settled,
    make_shift,
    make_sign_up,
)
from tests.factories.feedback import make_feedback

GOOD = {"overall": 5, "organisation": 4, "meaning": 3, "would_return": True}
GROUP = {"overall": 5, "punctuality": 4, "cooperation": 5, "as_expected": True}
PERSON = {"attitude": 5, "contribution": 4}
ANSWERS: dict[Side, dict[str, Any]] = {Side.VOLUNTEER: GOOD, Side.HOST: GROUP, Side.REMARK: PERSON}
HOST = uuid4()
NEW = Seen()


def given(side: Side = Side.VOLUNTEER, *, seen: Seen = NEW, **more: Any) -> Given:
    values: dict[str, Any] = {
        "form_version": 0,
        "answers": ANSWERS[side],
        "is_complaint": False,
        "by": HOST,
        "at": NOON,
    }
    return Given(seen=seen, **values | more)


def subject(record: Attendance, side: Side = Side.VOLUNTEER, **more: Any) -> Subject:
    whom = None if side is Side.HOST else record.volunteer_id
    return Subject(record.programme_id, side, record.shift_id, **{"volunteer_id": whom} | more)


@pytest.fixture
def record(tx: Session) -> Attendance:
    return make_settled(tx, make_shift(tx))


def rows(tx: Session, record: Attendance) -> list[Feedback]:
    return list(tx.scalars(select(Feedback).where(Feedback.shift_id == record.shift_id)))


class TestAnswer:
    @pytest.mark.parametrize("side", Side)
    def test_is_kept_and_told(self, tx: Session, record: Attendance, side: Side) -> None:
        """Ids and ratings go out; of a remark that there is one."""
        row = actions.answer(tx, subject(record, side), given(side, is_complaint=True))

        marks = {} if side is Side.REMARK else {key: mark for key, mark in ANSWERS[side].items() if mark is not True}
        assert (row.version, row.marks, row.texts, row.answered_by) == (1, ANSWERS[side], {}, HOST)
        assert (row.listing_id, row.partner_id, row.service_on) == (record.listing_id, record.partner_id, FIRST_OF_JUNE)
        assert [version.version for version in queries.list_versions(tx, [row.id])] == [1]
        assert emitted_of(tx, FeedbackReceived) == [
            FeedbackReceived(
                programme_id=PROGRAMME, feedback_id=row.id, version=1, side=FeedbackSide(side.value),
                shift_id=record.shift_id, listing_id=record.listing_id, partner_id=record.partner_id,
                volunteer_id=row.volunteer_id, service_on=FIRST_OF_JUNE, form_version=0, is_complaint=True,
                ratings=tuple(Rating(question=key, mark=mark) for key, mark in sorted(marks.items())),
            )
        ]  # fmt: skip

    def test_that_is_changed_becomes_a_version(self, tx: Session, record: Attendance) -> None:
        """What was said before stays."""
        first = actions.answer(tx, subject(record), given(answers=GOOD | {"liked": "海"}))
        seen = Seen.of(first)
        changed = actions.answer(tx, subject(record), given(seen=seen, answers=GOOD | {"overall": 1}))

        assert (changed.id, changed.version, changed.marks["overall"], changed.texts) == (first.id, 2, 1, {})
        versions = queries.list_versions(tx, [first.id])
        assert [(each.marks["overall"], each.texts) for each in versions] == [(5, {"liked": "海"}), (1, {})]
        assert [fact.version for fact in emitted_of(tx, FeedbackReceived)] == [1, 2]

    def test_the_same_again_changes_nothing(self, tx: Session, record: Attendance) -> None:
        """Neither a version nor an event."""
        first = actions.answer(tx, subject(record), given())
        again = actions.answer(tx, subject(record), given(seen=Seen.of(first), at=NOON + timedelta(days=1)))

        assert (again.version, again.answered_at) == (1, NOON)
        assert len(emitted_of(tx, FeedbackReceived)) == 1

    def test_what_changes_is_only_what_was_read(self, tx: Session, record: Attendance) -> None:
        """A second first answer, and one on another reading, are refused."""
        first = actions.answer(tx, subject(record), given())
        seen = Seen.of(first)
        actions.answer(tx, subject(record), given(seen=seen, is_complaint=True))
        for reading, refusal in ((NEW, ReadFirst), (seen, ChangedSince), (Seen(nothing=True), ChangedSince)):
            with pytest.raises(refusal):
                actions.answer(tx, subject(record), given(seen=reading))
        other = make_settled(tx, make_shift(tx))
        with pytest.raises(ChangedSince):
            actions.answer(tx, subject(other), given(seen=seen))

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ({"form_version": 1}, FormOutdated),
            ({"answers": {"overall": 5}}, AnswersInvalid),
            ({"at": NOON + timedelta(days=14)}, rules.FeedbackClosed),
        ],
    )
    def test_what_is_refused_leaves_nothing(
        self, tx: Session, record: Attendance, change: dict[str, Any], refusal: type[Refusal]
    ) -> None:
        """No row and no event."""
        with pytest.raises(refusal):
            actions.answer(tx, subject(record), given(**change))
        assert rows(tx, record) == []
        assert emitted_of(tx, FeedbackReceived) == []

    def test_a_change_is_taken_as_long_as_an_answer(self, tx: Session, record: Attendance) -> None:
        """Then it stands as it is."""
        seen = Seen.of(actions.answer(tx, subject(record), given()))
        with pytest.raises(rules.FeedbackClosed):
            actions.answer(tx, subject(record), given(seen=seen, is_complaint=True, at=NOON + timedelta(days=14)))

    def test_only_who_served_answers_and_is_remarked_on(self, tx: Session) -> None:
        """A place is not enough, nor is a void; being there still is not enough yet."""
        shift = make_shift(tx)
        place = make_sign_up(tx, shift)
        come = make_attendance(tx, shift)
        gone = make_settled(tx, shift)
        corrections.void(
            tx, corrections.Decision(PROGRAMME, gone.id, Seen.of(gone), "误报", REVIEWER, NOON)
        )  # fmt: skip
        for side in (Side.VOLUNTEER, Side.REMARK):
            for person, refusal in (
                (place.volunteer_id, rules.DidNotServe),
                (gone.volunteer_id, rules.DidNotServe),
                (come.volunteer_id, rules.FeedbackNotDue),
                (uuid4(), NotFound),
            ):
                with pytest.raises(refusal):
                    actions.answer(tx, Subject(PROGRAMME, side, shift.id, person), given(side))
        with pytest.raises(rules.FeedbackNotDue):
            actions.answer(tx, Subject(PROGRAMME, Side.HOST, shift.id), given(Side.HOST))

    @pytest.mark.parametrize("side", Side)
    def test_another_programmes_or_partners_is_not_found(self, tx: Session, record: Attendance, side: Side) -> None:
        """As if it were not there."""
        elsewhere = Subject(uuid4(), side, record.shift_id, subject(record, side).volunteer_id)
        others = subject(record, side, partner_id=uuid4())
        for each in (elsewhere, others):
            with pytest.raises(NotFound):
                actions.answer(tx, each, given(side))
        assert actions.answer(tx, subject(record, side, partner_id=record.partner_id), given(side)).version == 1

    def test_a_remark_is_changed_by_who_wrote_it(self, tx: Session, record: Attendance) -> None:
        """A host's view of the whole shift by any of its members."""
        remark = actions.answer(tx, subject(record, Side.REMARK), given(Side.REMARK))
        whole = actions.answer(tx, subject(record, Side.HOST), given(Side.HOST))
        other = {"by": uuid4(), "is_complaint": True}
        with pytest.raises(rules.RemarkByAnother):
            actions.answer(tx, subject(record, Side.REMARK), given(Side.REMARK, seen=Seen.of(remark), **other))
        assert (
            actions.answer(tx, subject(record, Side.HOST), given(Side.HOST, seen=Seen.of(whole), **other)).version == 2
        )


class TestComplaint:
    @pytest.mark.parametrize(
        ("side", "opened", "is_shared"),
        [(Side.VOLUNTEER, "volunteer", False), (Side.HOST, "partner", True), (Side.REMARK, "partner", True)],
    )
    def test_opens_an_incident_with_nothing_that_was_said(
        self,
        tx: Session,
        record: Attendance,
        side: Side,
        opened: str,
        is_shared: bool,  # noqa: FBT001  A table.
    ) -> None:
        """Ids alone: who looks into it reads the answer. What a volunteer complains of is not shown to the host."""
        row = actions.answer(tx, subject(record, side), given(side, is_complaint=True))

        incident = tx.get_one(Incident, row.incident_id)
        assert (incident.kind, incident.subject_type, incident.subject_id) == ("complaint", "feedback", row.id)
        assert (incident.opened_side, incident.opened_by, incident.details) == (opened, HOST, "")
        assert (incident.shift_id, incident.partner_id) == (record.shift_id, record.partner_id)
        assert (incident.volunteer_id is not None) == (side is Side.REMARK)
        assert (incident.shared_at is not None) == is_shared
        assert [fact.incident_id for fact in emitted_of(tx, IncidentOpened)] == [incident.id]

    def test_is_looked_into_once(self, tx: Session, record: Attendance) -> None:
        """However often the answer is changed; one that becomes a complaint later opens it then."""
        first = actions.answer(tx, subject(record), given())
        assert first.incident_id is None
        for overall in (1, 2):
            seen, answers = Seen.of(first), GOOD | {"overall": overall}
            actions.answer(tx, subject(record), given(seen=seen, is_complaint=True, answers=answers))
        actions.answer(tx, subject(record), given(seen=Seen.of(first)))

        assert first.incident_id is not None
        assert len(emitted_of(tx, IncidentOpened)) == 1


class TestErasure:
    def test_takes_all_words_and_leaves_what_is_counted(self, tx: Session, record: Attendance) -> None:
        """Of the person, and about them; in every version; nobody else's."""
        mine = actions.answer(tx, subject(record), given(answers=GOOD | {"liked": "我是合成甲"}))
        actions.answer(tx, subject(record), given(seen=Seen.of(mine), answers=GOOD | {"suggestion": "叫我合成甲"}))
        words = {"comment": "合成甲很好"}
        actions.answer(tx, subject(record, Side.REMARK), given(Side.REMARK, answers=PERSON | words))
        actions.answer(tx, subject(record, Side.HOST), given(Side.HOST, answers=GROUP | words))

        personal_data.erase(tx, Request(PROGRAMME, record.volunteer_id, REVIEWER, "来信", NOON + timedelta(days=1)))

        tx.expire_all()
        left = {row.side: (row.marks, row.texts) for row in rows(tx, record)}
        assert left == {"volunteer": (GOOD, {}), "remark": (PERSON, {}), "host": (GROUP, words)}
        versions = tx.scalars(select(FeedbackVersion).where(FeedbackVersion.feedback_id == mine.id)).all()
        assert [(each.marks, each.texts) for each in versions] == [(GOOD, {}), (GOOD, {})]

    def test_ends_what_the_person_can_say(self, tx: Session, record: Attendance) -> None:
        """And what can be said of them."""
        personal_data.erase(tx, Request(PROGRAMME, record.volunteer_id, REVIEWER, "来信", NOON + timedelta(days=1)))
        for side in (Side.VOLUNTEER, Side.REMARK):
            with pytest.raises(NotFound):
                actions.answer(tx, subject(record, side), given(side))


class TestRequests:
    def test_both_sides_are_asked_until_they_answer_or_it_is_over(self, tx: Session, record: Attendance) -> None:
        """Who has not served on it is not asked, nor another partner."""
        make_sign_up(tx, tx.get_one(type(make_shift(tx)), record.shift_id))
        last = NOON + timedelta(days=14) - timedelta(seconds=1)

        def asked(who: UUID, host: UUID, *, now: Any = NOON) -> tuple[list[UUID], list[UUID]]:
            own = queries.list_open_for_volunteer(tx, programme_id=PROGRAMME, volunteer_id=who, now=now)
            hosts = queries.list_open_for_host(tx, programme_id=PROGRAMME, partner_id=host, now=now)
            return [row.shift_id for row in own], [row.shift_id for row in hosts]

        both = ([record.shift_id], [record.shift_id])
        assert asked(record.volunteer_id, record.partner_id) == both
        assert asked(record.volunteer_id, record.partner_id, now=last) == both
        assert asked(record.volunteer_id, record.partner_id, now=last + timedelta(seconds=1)) == ([], [])
        assert asked(uuid4(), uuid4()) == ([], [])

        make_feedback(tx, record)
        make_feedback(tx, record, side=Side.REMARK)
        assert asked(record.volunteer_id, record.partner_id) == ([], [record.shift_id])
        make_feedback(tx, record, side=Side.HOST)
        assert asked(record.volunteer_id, record.partner_id) == ([], [])


@pytest.mark.parametrize("side", Side)
def test_two_first_answers_at_once_are_one(door: Door, database: Database, side: Side) -> None:
    """The second waits, and is told to read the first."""
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))

    def write(is_complaint: bool) -> Callable[[Session], Feedback]:  # noqa: FBT001  What the two differ by.
        return lambda tx: actions.answer(tx, subject(record, side), given(side, is_complaint=is_complaint))

    def second() -> None:
        with database.transaction() as tx:
            write(is_complaint=True)(tx)

    with held(database, write(is_complaint=False)) as start:
        future = start(second)
    assert future.result() == "precondition_required"
    with database.transaction() as tx:
        assert [row.is_complaint for row in rows(tx, record)] == [False]
