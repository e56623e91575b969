from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.listings.rules import (
    ShiftCancelled,
    ShiftClosed,
    ShiftHasAttendance,
    Times,
)
from services.activities.listings.tables import Listing, Shift
from services.activities.places.actions import Own, withdraw
from services.activities.schedules import actions, rules
from services.activities.schedules.actions import Decision
from services.activities.sign_ups.rules import State
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.events.activities_shifts import (
    ListingCancelled,
    ListingClosed,
    NotRun,
    ShiftDecisionDue,
    ShiftFellShort,
    ShiftGo,
    ShiftNotRun,
    ShiftRescheduled,
)
from shared.seen import ANYTHING, Seen
from tests.activities.asking import sign_up
from tests.activities.racing import at_once, held
from tests.activities.told import told
from tests.factories.activities import (
    MINUTE,
    NINE,
    NOON,
    PROGRAMME,
    at,
    make_listing,
    make_shift,
    make_sign_up,
    make_volunteer,
)

DAY = timedelta(days=1)
BEFORE = NINE - 2 * DAY
Act = Callable[[Session, Decision], Shift]


def decision(thing: Shift | Listing, **changed: Any) -> Decision:
    values: dict[str, Any] = {
        "programme_id": thing.programme_id, "thing_id": thing.id, "partner_id": None, "seen": ANYTHING, "at": BEFORE,
    }  # fmt: skip
    return Decision(**values | changed)


def cancel(tx: Session, given: Decision) -> Shift:
    return actions.cancel(tx, given, because="台风")


def no_go(tx: Session, given: Decision) -> Shift:
    return actions.decide_no_go(tx, given, because="人数不足")


def not_run(tx: Session, given: Decision) -> Shift:
    return actions.record_not_run(tx, given, code=NotRun.WEATHER, because="台风")


def postpone(tx: Session, given: Decision) -> Shift:
    return actions.reschedule(tx, given, Times(NINE + DAY, NOON + DAY))


ENDS: list[tuple[Act, str, timedelta]] = [
    (cancel, "cancelled", timedelta(0)), (no_go, "no_go", timedelta(0)), (not_run, "not_run", 2 * DAY),
]  # fmt: skip


def states(tx: Session, *places: SignUp) -> list[str]:
    tx.expire_all()
    return [place.state for place in places]


def types(tx: Session) -> list[str]:
    return [fact.type.removeprefix("activities.").removesuffix(".v1") for fact in told(tx)]


class TestOff:
    @pytest.mark.parametrize(("act", "state", "later"), ENDS)
    def test_all_who_signed_up_are_told(self, tx: Session, act: Act, state: str, later: timedelta) -> None:
        """Who had a place, was asked or waited; nobody is offered what came free by it. Again changes nothing."""
        shift = make_shift(tx, capacity=2)
        pending = [make_sign_up(tx, shift, state=each) for each in ("confirmed", "offered", "waitlisted")]
        gone = make_sign_up(tx, shift, state="withdrawn")

        for _ in range(2):
            act(tx, decision(shift, at=BEFORE + later))

        assert states(tx, *pending, gone) == ["cancelled_by_host"] * 3 + ["withdrawn"]
        assert (shift.state, shift.taken, bool(shift.cancelled_because)) == (state, 0, True)
        assert types(tx) == [f"shift.{state}", *["sign_up.cancelled"] * 3]

    @pytest.mark.parametrize(("act", "state", "later"), ENDS)
    def test_not_where_somebody_came(self, tx: Session, act: Act, state: str, later: timedelta) -> None:
        """It happens, or did; what is off by another decision stays so."""
        for known in ("running", "held"):
            with pytest.raises(ShiftHasAttendance):
                act(tx, decision(make_shift(tx, state=known), at=BEFORE + later))
        for known in {"cancelled", "no_go", "not_run"} - {state}:
            shift = make_shift(tx, state=known, cancelled_because="x", not_run="other" if known == "not_run" else None)
            with pytest.raises(ShiftCancelled):
                act(tx, decision(shift, at=BEFORE + later))
        assert types(tx) == []

    @pytest.mark.parametrize(("act", "refusal", "when"), [
        (cancel, rules.ShiftStarted, NINE), (no_go, rules.ShiftStarted, NINE),
        (actions.decide_go, rules.ShiftStarted, NINE), (postpone, rules.ShiftStarted, NINE),
        (not_run, rules.ShiftNotStarted, NINE - MINUTE),
    ])  # fmt: skip
    def test_each_has_its_time(self, tx: Session, act: Act, refusal: type[Exception], when: Any) -> None:
        """After the start it is recorded what happened; before, it is decided."""
        shift = make_shift(tx)
        with pytest.raises(refusal):
            act(tx, decision(shift, at=when))
        assert (shift.state, types(tx)) == ("open", [])

    @pytest.mark.parametrize("act", [cancel, no_go, not_run, actions.decide_go, postpone])
    def test_only_within_ones_own_and_on_what_was_read(self, tx: Session, act: Act) -> None:
        """Another programme's shift, another partner's, and none at all look the same."""
        shift = make_shift(tx)
        for name in ("programme_id", "partner_id", "thing_id"):
            changed: dict[str, Any] = {name: uuid4()}
            with pytest.raises(NotFound):
                act(tx, decision(shift, **changed))
        with pytest.raises(ChangedSince):
            act(tx, decision(shift, seen=Seen(("old",))))

    def test_who_was_marked_as_missing_has_missed_nothing(self, tx: Session) -> None:
        """A shift that did not happen cannot be missed; the reason has a code."""
        shift = make_shift(tx)
        missed, excused = (make_sign_up(tx, shift, state=each) for each in ("missed", "excused"))

        not_run(tx, decision(shift, at=NOON + 2 * DAY))

        assert states(tx, missed, excused) == ["cancelled_by_host", "excused"]
        assert (shift.not_run, shift.cancelled_because) == ("weather", "台风")
        fact = told(tx)[0]
        assert isinstance(fact, ShiftNotRun)
        assert fact.because == "weather"


class TestGo:
    def test_somebody_decides_that_it_happens(self, tx: Session) -> None:
        """However many there are; again changes nothing, and it can still be called off."""
        shift = make_shift(tx, minimum=5)
        make_sign_up(tx, shift)

        for _ in range(2):
            actions.decide_go(tx, decision(shift))

        assert shift.state == "go"
        [fact] = told(tx)
        assert isinstance(fact, ShiftGo)
        assert (fact.minimum, fact.taken, fact.capacity) == (5, 1, 10)
        assert cancel(tx, decision(shift)).state == "cancelled"

    def test_people_still_sign_up(self, tx: Session) -> None:
        """And a freed place still goes to the line."""
        shift = make_shift(tx, state="go", capacity=1)
        person = make_volunteer(tx).id
        place = sign_up(tx, programme_id=PROGRAMME, shift_id=shift.id, volunteer_id=person, now=BEFORE)
        waiting = make_sign_up(tx, shift, state="waitlisted")

        withdraw(tx, Own(PROGRAMME, place.id, person, BEFORE), because="出差")

        assert states(tx, place, waiting) == ["withdrawn", "offered"]


class TestReschedule:
    @pytest.mark.parametrize("state", ["open", "go"])
    def test_a_shift_is_moved_with_its_date(self, tx: Session, state: str) -> None:
        """It is decided anew whether it happens, and looked anew whether people are missing."""
        shift = make_shift(tx, state=state, short_at=BEFORE, decision_asked_at=BEFORE)

        postpone(tx, decision(shift))

        assert (shift.starts_at, shift.ends_at, shift.service_on) == (NINE + DAY, NOON + DAY, date(2022, 6, 2))
        assert (shift.state, shift.rescheduled_at) == ("open", BEFORE)
        assert (shift.short_at, shift.decision_asked_at) == (None, None)
        [fact] = told(tx)
        assert isinstance(fact, ShiftRescheduled)
        assert (fact.starts_at, fact.was_starts_at, fact.overlapping) == (NINE + DAY, NINE, ())

    def test_whoever_signed_up_before_may_withdraw_freely(self, tx: Session) -> None:
        """Until check-in opens; who signed up for the new time knew it."""
        shift = make_shift(tx, starts_at=NINE - 3 * DAY, ends_at=NOON - 3 * DAY)
        before = make_sign_up(tx, shift, signed_up_at=BEFORE - 3 * DAY)
        actions.reschedule(tx, decision(shift, at=BEFORE - 2 * DAY), Times(NINE, NOON))
        after = make_sign_up(tx, shift, signed_up_at=BEFORE)

        for place in (before, after):
            withdraw(tx, Own(PROGRAMME, place.id, place.volunteer_id, NINE - timedelta(hours=1)), because="改期")

        assert states(tx, before, after) == ["withdrawn", "late_withdrawn"]

    def test_it_names_those_who_have_a_place_elsewhere(self, tx: Session) -> None:
        """At the new time, half-open; a place in a line is none, nor one that was given back."""
        shift = make_shift(tx)
        places = {}
        for hours, state in ((0, "confirmed"), (0, "offered"), (0, "waitlisted"), (0, "withdrawn"), (3, "confirmed")):
            person = make_volunteer(tx)
            starts_at = NINE + DAY + timedelta(hours=hours)
            other = make_shift(tx, starts_at=starts_at, ends_at=starts_at + timedelta(hours=3))
            make_sign_up(tx, other, volunteer=person, state=state)
            places[hours, state] = make_sign_up(tx, shift, volunteer=person)

        postpone(tx, decision(shift))

        fact = told(tx)[-1]
        assert isinstance(fact, ShiftRescheduled)
        assert set(fact.overlapping) == {places[0, "confirmed"].id, places[0, "offered"].id}

    def test_an_offer_does_not_outlast_the_new_start(self, tx: Session) -> None:
        """One that ends before stays as it is."""
        shift = make_shift(tx)
        long, short = (
            make_sign_up(tx, shift, state="offered", offer_expires_at=each)
            for each in (NINE - MINUTE, BEFORE + MINUTE)
        )  # fmt: skip
        actions.reschedule(tx, decision(shift), Times(BEFORE + DAY, BEFORE + DAY + 60 * MINUTE))

        tx.expire_all()
        assert (long.offer_expires_at, short.offer_expires_at) == (BEFORE + DAY, BEFORE + MINUTE)

    def test_where_it_is_far_again_the_line_is_asked(self, tx: Session) -> None:
        """What was kept for nobody, so shortly before the old start, is offered now."""
        shift = make_shift(tx, capacity=1)
        waiting = make_sign_up(tx, shift, state="waitlisted")

        postpone(tx, decision(shift, at=NINE - timedelta(hours=1)))

        assert states(tx, waiting) == ["offered"]
        assert shift.taken == 1

    def test_not_where_somebody_came(self, tx: Session) -> None:
        """Nor a shift that is off."""
        for known, refusal in (("running", ShiftHasAttendance), ("cancelled", ShiftCancelled)):
            shift = make_shift(tx, state=known, cancelled_because="x" if known == "cancelled" else None)
            with pytest.raises(refusal):
                postpone(tx, decision(shift))


class TestListing:
    @pytest.fixture
    def listing(self, tx: Session) -> Listing:
        return make_listing(tx)

    @pytest.fixture
    def shifts(self, tx: Session, listing: Listing) -> list[Shift]:
        """Make one ahead, one that has begun, and one that was held."""
        ahead = make_shift(tx, listing=listing)
        begun = make_shift(tx, listing=listing, number=2, starts_at=BEFORE - MINUTE, ends_at=BEFORE + 60 * MINUTE)
        return [ahead, begun, make_shift(tx, listing=listing, number=3, state="held")]

    def test_a_closed_one_takes_nobody_new(self, tx: Session, listing: Listing, shifts: list[Shift]) -> None:
        """Whoever has signed up serves; again changes nothing."""
        place = make_sign_up(tx, shifts[0])

        for _ in range(2):
            actions.close_listing(tx, decision(listing))

        assert (listing.state, listing.ended_at, states(tx, place)) == ("closed", BEFORE, ["confirmed"])
        with pytest.raises(ShiftClosed):
            sign_up(
                tx, programme_id=PROGRAMME, shift_id=shifts[0].id, volunteer_id=make_volunteer(tx).id, now=BEFORE
            )  # fmt: skip
        assert [type(fact) for fact in told(tx)] == [ListingClosed]

    def test_a_cancelled_one_calls_off_what_has_not_begun(
        self, tx: Session, listing: Listing, shifts: list[Shift]
    ) -> None:
        """What has begun is recorded, not decided."""
        places = [make_sign_up(tx, shift) for shift in shifts]

        for _ in range(2):
            actions.cancel_listing(tx, decision(listing), because="停办")

        assert [shift.state for shift in shifts] == ["cancelled", "open", "held"]
        assert states(tx, *places) == ["cancelled_by_host", "confirmed", "confirmed"]
        assert (listing.state, listing.cancelled_because) == ("cancelled", "停办")
        assert all(shift.closed_at == BEFORE for shift in shifts)
        assert isinstance(told(tx)[0], ListingCancelled)
        assert types(tx)[1:] == ["shift.cancelled", "sign_up.cancelled"]
        with pytest.raises(rules.ListingEnded):
            actions.close_listing(tx, decision(listing))

    def test_only_within_ones_own(self, tx: Session, listing: Listing) -> None:
        """And on what was read."""
        for name in ("programme_id", "partner_id", "thing_id"):
            changed: dict[str, Any] = {name: uuid4()}
            with pytest.raises(NotFound):
                actions.close_listing(tx, decision(listing, **changed))
        with pytest.raises(ChangedSince):
            actions.cancel_listing(tx, decision(listing, seen=Seen(("old",))), because="停办")


class TestWatch:
    @pytest.mark.parametrize(
        ("left", "taken", "is_short"),
        [
            (3 * DAY + MINUTE, 1, False), (3 * DAY, 1, True), (MINUTE, 1, True), (timedelta(0), 1, False),
            (3 * DAY, 2, False),
        ],
    )  # fmt: skip
    def test_want_of_people_is_told_once(self, tx: Session, left: timedelta, taken: int, *, is_short: bool) -> None:
        """Within three days of the start, and not after it."""
        shift = make_shift(tx, minimum=2)
        for _ in range(taken):
            make_sign_up(tx, shift)

        for _ in range(2):
            actions.tell_short(tx, now=NINE - left)

        facts = [fact for fact in told(tx) if isinstance(fact, ShiftFellShort)]
        assert [fact.shift_id for fact in facts] == ([shift.id] if is_short else [])
        assert shift.short_at == (NINE - left if is_short else None)
        assert all((fact.minimum, fact.taken) == (2, 1) for fact in facts)

    @pytest.mark.parametrize(
        ("left", "minimum", "state", "is_asked"),
        [
            (2 * DAY + MINUTE, 2, "open", False), (2 * DAY, 2, "open", True), (MINUTE, 2, "open", True),
            (timedelta(0), 2, "open", False), (2 * DAY, 1, "open", False), (2 * DAY, 2, "go", False),
        ],
    )  # fmt: skip
    def test_a_decision_is_asked_for_once(
        self, tx: Session, left: timedelta, minimum: int, state: str, *, is_asked: bool
    ) -> None:
        """Of what needs several people and is not decided, within two days of the start."""
        shift = make_shift(tx, minimum=minimum, state=state)

        for _ in range(2):
            actions.ask_for_decisions(tx, now=NINE - left)

        facts = [fact for fact in told(tx) if isinstance(fact, ShiftDecisionDue)]
        assert [fact.shift_id for fact in facts] == ([shift.id] if is_asked else [])
        assert shift.decision_asked_at == (NINE - left if is_asked else None)


class TestAtOnce:
    @pytest.fixture
    def shift(self, database: Database, programme: UUID) -> Shift:
        with database.transaction() as tx:
            return make_shift(tx, programme_id=programme, capacity=1)

    def test_nobody_gets_a_place_on_a_shift_being_called_off(self, database: Database, shift: Shift) -> None:
        """Whoever is second learns of the first."""
        with database.transaction() as tx:
            person = make_volunteer(tx, programme_id=shift.programme_id).id

        def take() -> str:
            with database.transaction() as tx:
                programme = shift.programme_id
                place = sign_up(tx, programme_id=programme, shift_id=shift.id, volunteer_id=person, now=BEFORE)
                return place.state

        with held(database, lambda tx: cancel(tx, decision(shift))) as start:
            waiting = start(take)

        assert waiting.result() == "shift_cancelled"

    def test_of_two_decisions_on_one_reading_one_is_carried_out(self, database: Database, shift: Shift) -> None:
        """The other is told to read again."""

        def deciding(act: Act) -> Callable[[], str]:
            def run() -> str:
                with database.transaction() as tx:
                    return act(tx, decision(shift, seen=Seen.of(shift))).state

            return run

        outcomes = at_once(deciding(actions.decide_go), deciding(no_go), deciding(postpone))

        assert outcomes.count("precondition_failed") == 2

    def test_a_freed_place_is_not_offered_on_a_shift_being_called_off(self, database: Database, shift: Shift) -> None:
        """Whichever is first, nobody is left with an offer."""
        with database.transaction() as tx:
            row = tx.get_one(Shift, shift.id)
            place, waiting = make_sign_up(tx, row), make_sign_up(tx, row, state="waitlisted")

        def give_back() -> str:
            with database.transaction() as tx:
                own = Own(shift.programme_id, place.id, place.volunteer_id, BEFORE)
                return withdraw(tx, own, because="出差").state

        def call_off() -> str:
            with database.transaction() as tx:
                return cancel(tx, decision(shift)).state

        outcomes = at_once(give_back, call_off)

        assert outcomes[1] == "cancelled"
        with database.transaction() as tx:
            assert tx.get_one(SignUp, waiting.id).state == State.CANCELLED_BY_HOST
            assert tx.get_one(Shift, shift.id).taken == 0


def test_a_decision_to_go_is_not_taken_twice_over(tx: Session) -> None:
    """After no, yes is too late; after yes, no is still possible."""
    shift = make_shift(tx, starts_at=at(9) + DAY, ends_at=at(12) + DAY)
    actions.decide_go(tx, decision(shift))
    no_go(tx, decision(shift))
    with pytest.raises(ShiftCancelled):
        actions.decide_go(tx, decision(shift))
