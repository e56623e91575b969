from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.listings.rules import ShiftCancelled
from services.activities.listings.tables import Shift
from services.activities.places import actions, rules
from services.activities.places.actions import Decision, Own
from services.activities.sign_ups.actions import expire_offers
from services.activities.sign_ups.rules import TAKING, SignUpClosed, State
from services.activities.sign_ups.tables import SignUp
from shared.errors import ChangedSince, NotFound
from shared.events.activities_shifts import ShiftPlacesFreed
from shared.events.activities_sign_ups import SignUpOffered
from shared.seen import ANYTHING, Seen
from tests.activities import asking
from tests.activities.told import told
from tests.factories.activities import MINUTE, NINE, NOON, PROGRAMME, at, make_shift, make_sign_up, make_volunteer

DAY = timedelta(days=1)
BEFORE = NINE - 2 * DAY
NEAR = NINE - timedelta(hours=2)


def sign_up(tx: Session, shift: Shift, volunteer_id: UUID | None = None, *, now: datetime = NINE) -> SignUp:
    person = volunteer_id or make_volunteer(tx, programme_id=shift.programme_id).id
    return asking.sign_up(tx, programme_id=shift.programme_id, shift_id=shift.id, volunteer_id=person, now=now)


def own(place: SignUp, now: datetime = BEFORE) -> Own:
    return Own(place.programme_id, place.id, place.volunteer_id, now)


def excuse(tx: Session, place: SignUp, *, now: datetime = BEFORE, **changed: Any) -> SignUp:
    values: dict[str, Any] = {
        "programme_id": PROGRAMME, "sign_up_id": place.id, "partner_id": None, "seen": ANYTHING, "reason": "合成",
        "at": now,
    }  # fmt: skip
    return actions.excuse(tx, Decision(**values | changed))


def states(tx: Session, *places: SignUp) -> list[str]:
    tx.expire_all()
    return [place.state for place in places]


def counted(tx: Session, shift: Shift) -> tuple[int, int]:
    """Count a shift's places twice: as it says, and as they stand."""
    tx.refresh(shift)
    rows = select(func.count()).where(SignUp.shift_id == shift.id, SignUp.state.in_(TAKING))
    return shift.taken, tx.scalars(rows).one()


class TestSignUp:
    def test_a_place_is_taken_once(self, tx: Session) -> None:
        """A second tap returns the same place, even when the shift is full or over by then, and tells nothing more."""
        shift, volunteer = make_shift(tx, capacity=1), make_volunteer(tx)

        first = sign_up(tx, shift, volunteer.id)
        again = sign_up(tx, shift, volunteer.id, now=NOON)

        assert again is first
        assert (first.source, first.signed_up_at, first.state) == ("self", NINE, "confirmed")
        assert counted(tx, shift) == (1, 1)
        assert [fact.type for fact in told(tx)] == ["activities.sign_up.confirmed.v1"]

    def test_a_full_shift_has_a_line(self, tx: Session) -> None:
        """In the order of signing up; nobody in it has a place."""
        shift = make_shift(tx, capacity=1)
        make_sign_up(tx, shift)

        waiting = sign_up(tx, shift, now=BEFORE)

        assert (waiting.state, waiting.signed_up_at) == ("waitlisted", BEFORE)
        assert counted(tx, shift) == (1, 1)
        assert [fact.type for fact in told(tx)] == ["activities.sign_up.waitlisted.v1"]

    def test_but_none_once_it_has_begun(self, tx: Session) -> None:
        """What is written down stays as it was."""
        shift = make_shift(tx, capacity=1)
        make_sign_up(tx, shift)

        with pytest.raises(rules.ShiftFull):
            sign_up(tx, shift)

        assert counted(tx, shift) == (1, 1)
        assert told(tx) == []

    def test_a_shift_that_is_over_or_off_takes_nobody(self, tx: Session) -> None:
        """One that runs still does."""
        volunteer = make_volunteer(tx)
        with pytest.raises(rules.ShiftOver):
            sign_up(tx, make_shift(tx), volunteer.id, now=NOON)
        with pytest.raises(ShiftCancelled):
            sign_up(tx, make_shift(tx, state="cancelled", cancelled_because="台风"), volunteer.id)
        sign_up(tx, make_shift(tx, state="running"), volunteer.id, now=NOON - timedelta(seconds=1))

    def test_people_and_shifts_of_another_programme_are_unknown(self, tx: Session) -> None:
        """As are people and shifts that do not exist."""
        shift, stranger = make_shift(tx), make_volunteer(tx, programme_id=uuid4())
        person = make_volunteer(tx).id
        for volunteer_id in (stranger.id, uuid4()):
            with pytest.raises(NotFound):
                sign_up(tx, shift, volunteer_id)
        for shift_id in (make_shift(tx, programme_id=uuid4()).id, uuid4()):
            with pytest.raises(NotFound):
                asking.sign_up(tx, programme_id=PROGRAMME, shift_id=shift_id, volunteer_id=person, now=NINE)

    def test_who_gave_it_back_in_time_may_return(self, tx: Session) -> None:
        """To the same row, at the end of the line; who gave it back late may not."""
        shift = make_shift(tx, capacity=1)
        back, late = make_sign_up(tx, shift, state="withdrawn"), make_sign_up(tx, shift, state="late_withdrawn")

        assert sign_up(tx, shift, back.volunteer_id, now=BEFORE) is back
        assert (back.state, back.signed_up_at, back.ended_at) == ("confirmed", BEFORE, None)
        with pytest.raises(SignUpClosed):
            sign_up(tx, shift, late.volunteer_id, now=BEFORE)
        assert counted(tx, shift) == (1, 1)


class TestOverlap:
    @pytest.mark.parametrize(
        ("starts_at", "ends_at", "overlaps"),
        [
            (at(7), at(9), False), (at(7), at(9, 1), True), (at(10), at(11), True), (at(8), at(13), True),
            (at(11, 59), at(13), True), (at(12), at(13), False),
        ],
    )  # fmt: skip
    def test_two_places_at_one_time_are_refused(
        self, tx: Session, starts_at: datetime, ends_at: datetime, *, overlaps: bool
    ) -> None:
        """Half-open: adjacent shifts are fine."""
        person, first = make_volunteer(tx), make_shift(tx)
        make_sign_up(tx, first, volunteer=person)
        second = make_shift(tx, starts_at=starts_at, ends_at=ends_at)

        if overlaps:
            with pytest.raises(rules.OverlappingShift) as refused:
                sign_up(tx, second, person.id, now=BEFORE)
            assert refused.value.facts["shift_id"] == first.id
        else:
            assert sign_up(tx, second, person.id, now=BEFORE).state == "confirmed"

    @pytest.mark.parametrize("state", State)
    def test_what_counts_is_a_place_that_is_had_or_kept(self, tx: Session, state: State) -> None:
        """Nobody else's, and none that was given back; waiting in two lines is free."""
        place = make_sign_up(tx, make_shift(tx), state=state)
        other = make_shift(tx)
        make_sign_up(tx, other)

        if state in {State.CONFIRMED, State.OFFERED}:
            with pytest.raises(rules.OverlappingShift):
                sign_up(tx, other, place.volunteer_id, now=BEFORE)
        else:
            assert sign_up(tx, other, place.volunteer_id, now=BEFORE).state == "confirmed"

    def test_an_offer_is_accepted_where_no_place_is_had(self, tx: Session) -> None:
        """Of two offers at one time one is taken; then the other cannot be."""
        person = make_volunteer(tx)
        first, second = (make_sign_up(tx, make_shift(tx), volunteer=person, state="offered") for _ in range(2))

        assert actions.accept(tx, own(first)).state == "confirmed"
        with pytest.raises(rules.OverlappingShift) as refused:
            actions.accept(tx, own(second))
        assert refused.value.facts["shift_id"] == first.shift_id


class TestLine:
    @pytest.fixture
    def shift(self, tx: Session) -> Shift:
        return make_shift(tx, capacity=1)

    @pytest.fixture
    def first(self, tx: Session, shift: Shift) -> SignUp:
        return make_sign_up(tx, shift)

    @pytest.fixture
    def line(self, tx: Session, shift: Shift) -> list[SignUp]:
        """Let three wait, made in another order than they signed up."""
        times = [BEFORE - 3 * MINUTE, BEFORE - MINUTE, BEFORE - 2 * MINUTE]
        made = [make_sign_up(tx, shift, state="waitlisted", signed_up_at=each) for each in times]
        return sorted(made, key=lambda place: place.signed_up_at)

    def test_a_freed_place_is_offered_to_the_first(
        self, tx: Session, shift: Shift, first: SignUp, line: list[SignUp]
    ) -> None:
        """At once, for a day; nobody else can have it meanwhile."""
        actions.withdraw(tx, own(first), because="出差")

        assert states(tx, first, *line) == ["withdrawn", "offered", "waitlisted", "waitlisted"]
        assert line[0].offer_expires_at == BEFORE + DAY
        assert counted(tx, shift) == (1, 1)
        offered = told(tx)[-1]
        assert isinstance(offered, SignUpOffered)
        assert (offered.sign_up_id, offered.expires_at) == (line[0].id, BEFORE + DAY)
        assert sign_up(tx, shift, now=BEFORE).state == "waitlisted"

    def test_who_accepts_has_it(self, tx: Session, shift: Shift, first: SignUp, line: list[SignUp]) -> None:
        """Again changes nothing; who was not asked cannot accept."""
        actions.withdraw(tx, own(first), because="出差")
        with pytest.raises(rules.NoOffer):
            actions.accept(tx, own(line[1]))

        for _ in range(2):
            assert actions.accept(tx, own(line[0])).state == "confirmed"

        assert counted(tx, shift) == (1, 1)
        assert [fact.type.split(".")[2] for fact in told(tx)] == ["withdrawn", "offered", "confirmed"]

    def test_who_declines_leaves_it_to_the_next(self, tx: Session, first: SignUp, line: list[SignUp]) -> None:
        """And is in the line no more."""
        actions.withdraw(tx, own(first), because="出差")

        for _ in range(2):
            actions.decline(tx, own(line[0]))

        assert states(tx, *line) == ["withdrawn", "offered", "waitlisted"]

    def test_who_does_not_answer_is_passed(self, tx: Session, shift: Shift, first: SignUp, line: list[SignUp]) -> None:
        """Not before the time, once, and the next has a window of their own."""
        actions.withdraw(tx, own(first), because="出差")
        over = BEFORE + DAY

        expire_offers(tx, now=over - MINUTE)
        assert states(tx, *line) == ["offered", "waitlisted", "waitlisted"]

        for _ in range(2):
            expire_offers(tx, now=over)

        assert states(tx, *line) == ["offer_expired", "offered", "waitlisted"]
        assert line[1].offer_expires_at == over + (NINE - over) / 2
        assert counted(tx, shift) == (1, 1)
        with pytest.raises(rules.NoOffer):
            actions.accept(tx, own(line[0], over))

    def test_an_answer_after_the_time_is_none(self, tx: Session, first: SignUp, line: list[SignUp]) -> None:
        """Whether or not the timer has looked."""
        actions.withdraw(tx, own(first), because="出差")
        for answer in (actions.accept, actions.decline):
            with pytest.raises(rules.OfferOver):
                answer(tx, own(line[0], BEFORE + DAY))

    def test_in_the_last_hours_the_first_to_come_has_it(
        self, tx: Session, shift: Shift, first: SignUp, line: list[SignUp]
    ) -> None:
        """It is told that there is a place, and kept for nobody; the line is not asked in order any more."""
        actions.withdraw(tx, own(first, NEAR), because="病了")

        assert states(tx, *line) == ["waitlisted"] * 3
        assert counted(tx, shift) == (0, 0)
        assert [type(fact) for fact in told(tx)][1:] == [ShiftPlacesFreed]
        assert sign_up(tx, shift, line[2].volunteer_id, now=NEAR).state == "confirmed"
        assert sign_up(tx, shift, line[0].volunteer_id, now=NEAR).state == "waitlisted"
        assert counted(tx, shift) == (1, 1)

    def test_who_leaves_the_line_frees_nothing(
        self, tx: Session, shift: Shift, first: SignUp, line: list[SignUp]
    ) -> None:
        """The others move up."""
        actions.withdraw(tx, own(line[0]), because="有事")

        assert states(tx, first, *line) == ["confirmed", "withdrawn", "waitlisted", "waitlisted"]
        assert counted(tx, shift) == (1, 1)


class TestWithdraw:
    @pytest.mark.parametrize(
        ("now", "state"), [(NINE - DAY, "withdrawn"), (NINE - DAY + MINUTE, "late_withdrawn")]
    )  # fmt: skip
    def test_a_place_is_given_back(self, tx: Session, now: datetime, state: str) -> None:
        """With a reason; late or in time; again changes nothing."""
        shift = make_shift(tx)
        place = make_sign_up(tx, shift)

        actions.withdraw(tx, own(place, now), because="出差")
        actions.withdraw(tx, own(place, NOON), because="又一次")

        assert (place.state, place.ended_at, place.ended_because) == (state, now, "出差")
        assert counted(tx, shift) == (0, 0)
        assert [fact.type for fact in told(tx)] == [f"activities.sign_up.{state}.v1"]

    def test_only_ones_own(self, tx: Session) -> None:
        """Another's looks as if it did not exist."""
        place, other = make_sign_up(tx, make_shift(tx)), make_volunteer(tx)
        for wrong in (Own(PROGRAMME, place.id, other.id, BEFORE), Own(uuid4(), place.id, place.volunteer_id, BEFORE)):
            with pytest.raises(NotFound):
                actions.withdraw(tx, wrong, because="出差")


class TestExcuse:
    def test_a_host_excuses_for_a_reason(self, tx: Session) -> None:
        """The place goes to the next in the line."""
        shift = make_shift(tx, capacity=1)
        place, waiting = make_sign_up(tx, shift), make_sign_up(tx, shift, state="waitlisted")

        excuse(tx, place, partner_id=shift.partner_id, seen=Seen.of(place))

        assert states(tx, place, waiting) == ["excused", "offered"]
        assert place.ended_because == "合成"
        assert counted(tx, shift) == (1, 1)

    def test_afterwards_nobody_is_offered_a_place_that_is_past(self, tx: Session) -> None:
        """It is no place any more."""
        shift = make_shift(tx, capacity=1, state="held")
        place, waiting = make_sign_up(tx, shift, state="missed"), make_sign_up(tx, shift, state="waitlisted")

        excuse(tx, place, now=NOON + DAY)

        assert states(tx, place, waiting) == ["excused", "waitlisted"]
        assert counted(tx, shift) == (0, 0)
        assert [fact.type for fact in told(tx)] == ["activities.sign_up.excused.v1"]

    def test_within_ones_own_and_on_what_was_read(self, tx: Session) -> None:
        """Another partner's, another programme's, and what has changed since."""
        place = make_sign_up(tx, make_shift(tx))
        for scope in ("partner_id", "programme_id"):
            changed: dict[str, Any] = {scope: uuid4()}
            with pytest.raises(NotFound):
                excuse(tx, place, **changed)
        with pytest.raises(ChangedSince):
            excuse(tx, place, seen=Seen(("old",)))
        assert place.state == "confirmed"
