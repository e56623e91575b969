from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.rounds import actions, queries, rules
from services.activities.rounds.actions import CalendarFacts
from services.activities.rounds.rules import Moment, Times
from services.activities.rounds.tables import Round
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound, ReadFirst
from shared.events.activities_rounds import RoundClosed, RoundOpened
from shared.seen import ANYTHING, Seen
from shared.zones import UnknownTimezone
from tests.activities import told as outbox
from tests.activities.racing import at_once, held
from tests.factories.activities import NINE, PROGRAMME, make_round, make_round_calendar

DAY, WEEK, INSTANT = timedelta(days=1), timedelta(weeks=1), timedelta(microseconds=1)
TIMES = Times(NINE, NINE + 3 * DAY, NINE + 4 * DAY, NINE + 5 * DAY)  # As the factory makes rounds.
LATER = Times(*(at + WEEK for at in astuple(TIMES)))
MONDAY = date(2022, 6, 6)
FACTS = CalendarFacts(
    "Asia/Shanghai", Moment(1, time(9)), Moment(4, time(18)), Moment(5, time(18)), Moment(1, time(9)), weeks_ahead=2,
    target=60,
)  # fmt: skip


def rounds(tx: Session, programme_id: UUID = PROGRAMME) -> Sequence[Round]:
    rows = queries.rounds_of(programme_id).order_by(Round.number)
    return tx.scalars(rows.execution_options(populate_existing=True)).all()


def weeks(tx: Session, programme_id: UUID = PROGRAMME) -> list[date | None]:
    return [each.week_on for each in rounds(tx, programme_id)]


def told(tx: Session, programme_id: UUID = PROGRAMME) -> list[tuple[str, int]]:
    """Say what was told, and of the round with which number."""
    facts = outbox.told(tx, programme_id)
    return [(type(fact).__name__, fact.number) for fact in facts if isinstance(fact, RoundOpened | RoundClosed)]


class TestCalendar:
    def test_the_weeks_ahead_are_made_when_it_is_set(self, tx: Session) -> None:
        """Numbered in order, with the calendar's target; what is not open yet is told to nobody."""
        actions.set_calendar(tx, FACTS, programme_id=PROGRAMME, seen=Seen(), now=NINE)

        assert weeks(tx) == [MONDAY, MONDAY + WEEK]  # The first of June is a Wednesday: this week's call has passed.
        first, second = rounds(tx)
        assert (first.number, first.target, first.state) == (1, 60, "planned")
        assert first.opens_at == datetime(2022, 6, 6, 1, tzinfo=UTC)
        assert first.closes_at == datetime(2022, 6, 9, 10, tzinfo=UTC)
        assert (second.number, second.opens_at) == (2, first.opens_at + WEEK)
        assert told(tx) == []

    def test_one_that_is_set_anew_leaves_what_is_made(self, tx: Session) -> None:
        """It is for the weeks to come; who has not read the old one is told so."""
        first = actions.set_calendar(tx, FACTS, programme_id=PROGRAMME, seen=Seen(), now=NINE)
        later = replace(FACTS, opens=Moment(2, time(9)), weeks_ahead=3, target=70)
        for seen, refused in (
            (Seen(), ReadFirst),
            (Seen(tags=["x"]), ChangedSince),
            (Seen(nothing=True), ChangedSince),
        ):
            with pytest.raises(refused):
                actions.set_calendar(tx, later, programme_id=PROGRAMME, seen=seen, now=NINE)

        actions.set_calendar(tx, later, programme_id=PROGRAMME, seen=Seen.of(first), now=NINE + DAY)

        assert [(each.week_on, each.target, each.opens_at.weekday()) for each in rounds(tx)] == [
            (MONDAY, 60, 0), (MONDAY + WEEK, 60, 0), (MONDAY + 2 * WEEK, 70, 1),
        ]  # fmt: skip

    def test_what_cannot_be_one_is_refused(self, tx: Session) -> None:
        """A zone that is none, a call that is over at once; a tag of what does not exist."""
        for facts, refused in (
            (replace(FACTS, timezone="Mars/Olympus"), UnknownTimezone),
            (replace(FACTS, closes=Moment(1, time(10))), rules.BadRoundTimes),
        ):
            with pytest.raises(refused):
                actions.set_calendar(tx, facts, programme_id=PROGRAMME, seen=Seen(), now=NINE)
        with pytest.raises(ChangedSince):
            actions.set_calendar(tx, FACTS, programme_id=PROGRAMME, seen=Seen(tags=["x"]), now=NINE)
        assert queries.find_calendar(tx, PROGRAMME) is None


class TestMakeAhead:
    def test_each_week_one_more_and_none_twice(self, tx: Session) -> None:
        """However often it runs."""
        make_round_calendar(tx)
        for day in range(15):
            for _ in range(2):
                actions.make_ahead(tx, now=NINE + day * DAY)

        assert weeks(tx) == [date(2022, 5, 30) + week * WEEK for week in range(5)]
        assert [each.number for each in rounds(tx)] == [1, 2, 3, 4, 5]

    def test_after_an_outage_the_week_that_still_runs_is_called_for(self, tx: Session) -> None:
        """The weeks that are over are not: nobody was told of them. What opens late is open at once."""
        make_round_calendar(tx, weeks_ahead=1)
        actions.make_ahead(tx, now=NINE)
        later = NINE + 5 * WEEK

        actions.make_ahead(tx, now=later)
        actions.turn(tx, now=later)
        actions.make_ahead(tx, now=later)

        assert weeks(tx) == [date(2022, 5, 30), MONDAY, MONDAY + 4 * WEEK, MONDAY + 5 * WEEK]
        assert [each.state for each in rounds(tx)] == ["published", "published", "open", "planned"]
        assert sorted(told(tx), key=lambda fact: fact[1]) == [
            ("RoundOpened", 1), ("RoundClosed", 1), ("RoundOpened", 2), ("RoundClosed", 2), ("RoundOpened", 3),
        ]  # fmt: skip

    def test_what_was_moved_or_cancelled_is_not_made_anew(self, tx: Session) -> None:
        """The week is known by its Monday, not by its times."""
        make_round_calendar(tx)
        actions.make_ahead(tx, now=NINE - 2 * DAY)
        _, second, third = rounds(tx)
        where: dict[str, Any] = {"programme_id": PROGRAMME, "seen": ANYTHING, "now": NINE}
        sunday = NINE + 4 * DAY
        earlier = Times(sunday, sunday + DAY / 2, sunday + DAY / 2, sunday + DAY / 2)
        actions.move_round(tx, earlier, round_id=second.id, because="假期", **where)
        actions.cancel_round(tx, round_id=third.id, because="假期", **where)

        actions.make_ahead(tx, now=NINE + 7 * DAY)

        assert weeks(tx) == [MONDAY + week * WEEK for week in (-1, 0, 1, 2)]

    def test_programmes_have_numbers_and_rounds_of_their_own(self, tx: Session) -> None:
        """And zones."""
        elsewhere = uuid4()
        make_round_calendar(tx)
        make_round_calendar(tx, programme_id=elsewhere, timezone="UTC")

        actions.make_ahead(tx, now=NINE)

        ours, theirs = rounds(tx)[0], rounds(tx, elsewhere)[0]
        assert (ours.number, theirs.number) == (1, 1)
        assert theirs.opens_at - ours.opens_at == timedelta(hours=8)


class TestTurn:
    def test_a_round_opens_closes_and_is_published_in_time(self, tx: Session) -> None:
        """Each once, and told once, however often somebody looks."""
        made = make_round(tx)
        for at, state in (
            (NINE - INSTANT, "planned"), (NINE, "open"), (TIMES.closes_at - INSTANT, "open"),
            (TIMES.closes_at, "closed"), (TIMES.publish_at - INSTANT, "closed"), (TIMES.publish_at, "published"),
        ):  # fmt: skip
            for _ in range(2):
                actions.turn(tx, now=at)
            tx.refresh(made)
            assert made.state == state, at

        opened, closed = [fact for fact in outbox.told(tx) if isinstance(fact, RoundOpened | RoundClosed)]
        assert opened == RoundOpened(
            programme_id=PROGRAMME, round_id=made.id, number=1, opens_at=NINE, closes_at=TIMES.closes_at,
            review_by=TIMES.review_by, publish_at=TIMES.publish_at, target=60,
        )  # fmt: skip
        assert closed == RoundClosed(
            programme_id=PROGRAMME, round_id=made.id, number=1, closed_at=TIMES.closes_at,
            review_by=TIMES.review_by, publish_at=TIMES.publish_at, is_cancelled=False,
        )  # fmt: skip

    def test_what_was_missed_is_made_up_for_in_order(self, tx: Session) -> None:
        """A round that opened and closed during an outage did both, and it is told so."""
        make_round(tx)

        actions.turn(tx, now=TIMES.closes_at + INSTANT)

        assert told(tx) == [("RoundOpened", 1), ("RoundClosed", 1)]
        assert [each.state for each in rounds(tx)] == ["closed"]

    def test_two_schedulers_open_a_round_once(self, database: Database, programme: UUID) -> None:
        """The second passes over what the first holds, and finds it done after that."""
        with database.transaction() as tx:
            make_round(tx, programme_id=programme)

        def turn() -> None:
            with database.transaction() as tx:
                actions.turn(tx, now=NINE)

        at_once(turn, turn, turn)

        with database.transaction() as tx:
            assert told(tx, programme) == [("RoundOpened", 1)]


class TestPlan:
    def test_an_operator_plans_one_beside_the_calendar(self, tx: Session) -> None:
        """It has the next number and no week."""
        make_round(tx, number=7, opens_at=NINE + WEEK)

        made = actions.plan_round(tx, TIMES, programme_id=PROGRAMME, target=5, now=NINE - DAY)

        assert (made.number, made.week_on, made.target, made.state) == (8, None, 5, "planned")
        assert told(tx) == []

    def test_one_that_has_begun_is_open_at_once(self, tx: Session) -> None:
        """Nobody waits for the timer."""
        made = actions.plan_round(tx, TIMES, programme_id=PROGRAMME, target=5, now=NINE)
        assert (made.state, told(tx)) == ("open", [("RoundOpened", 1)])

    def test_two_are_not_open_at_once(self, tx: Session) -> None:
        """One after the other may be."""
        make_round(tx)
        with pytest.raises(rules.RoundsOverlap):
            actions.plan_round(tx, TIMES, programme_id=PROGRAMME, target=5, now=NINE - DAY)
        following = Times(TIMES.closes_at, TIMES.publish_at, TIMES.publish_at, TIMES.publish_at)
        assert actions.plan_round(tx, following, programme_id=PROGRAMME, target=5, now=NINE - DAY).number == 2

    def test_of_two_at_once_that_overlap_one_is_made(self, database: Database, programme: UUID) -> None:
        """The second waits for the first, and is refused."""

        def plan(tx: Session) -> Round:
            return actions.plan_round(tx, TIMES, programme_id=programme, target=5, now=NINE - DAY)

        def plan_too() -> Round:
            with database.transaction() as tx:
                return plan(tx)

        with held(database, plan) as start:
            second = start(plan_too)

        assert second.result() == "rounds_overlap"


class TestMove:
    def test_one_that_has_not_opened_is_put_elsewhere(self, tx: Session) -> None:
        """With the reason, also over its own old time."""
        made = make_round(tx)
        sooner = Times(*(at - DAY for at in astuple(TIMES)))

        moved = move(tx, made, sooner, now=NINE - 2 * DAY)

        assert (moved.opens_at, moved.publish_at, moved.moved_because) == (NINE - DAY, TIMES.publish_at - DAY, "假期")
        assert moved.state == "planned"

    def test_not_into_the_time_of_another(self, tx: Session) -> None:
        """Nor to where it would be over."""
        made = make_round(tx)
        make_round(tx, number=2, opens_at=NINE + WEEK)
        with pytest.raises(rules.RoundsOverlap):
            move(tx, made, LATER, now=NINE - DAY)
        with pytest.raises(rules.BadRoundTimes):
            move(tx, made, Times(*(at - WEEK for at in astuple(TIMES))), now=NINE - DAY)

    @pytest.mark.parametrize(("now", "state"), [(NINE, "open"), (TIMES.closes_at, "closed")])
    def test_not_once_it_has_opened(self, tx: Session, now: datetime, state: str) -> None:
        """Though the timer may be late: its time decides."""
        made = make_round(tx)
        with pytest.raises(rules.WrongRoundState) as refused:
            move(tx, made, LATER, now=now)
        assert refused.value.facts == {"state": state}

    def test_on_a_reading_of_it_and_within_the_programme(self, tx: Session) -> None:
        """As every decision."""
        made = make_round(tx)
        with pytest.raises(ChangedSince):
            move(tx, made, LATER, now=NINE - DAY, seen=Seen(tags=["x"]))
        with pytest.raises(NotFound):
            move(tx, made, LATER, now=NINE - DAY, programme_id=uuid4())


def move(tx: Session, made: Round, times: Times, **where: Any) -> Round:
    known: dict[str, Any] = {"programme_id": made.programme_id, "seen": ANYTHING, "because": "假期"}
    return actions.move_round(tx, times, round_id=made.id, **known | where)


class TestExtend:
    def extend(self, tx: Session, made: Round, *, by: timedelta, now: datetime) -> Round:
        return actions.extend_round(
            tx,
            TIMES.closes_at + by,
            programme_id=PROGRAMME,
            round_id=made.id,
            because="系统故障",
            seen=ANYTHING,
            now=now,
        )

    def test_an_open_round_stays_open_for_longer(self, tx: Session) -> None:
        """It closes at its new end; who reviews and publishes has as much time as before."""
        made = make_round(tx, state="open")

        self.extend(tx, made, by=DAY, now=TIMES.closes_at - INSTANT)

        assert (made.closes_at, made.review_by) == (TIMES.closes_at + DAY, TIMES.review_by + DAY)
        assert (made.publish_at, made.moved_because) == (TIMES.publish_at + DAY, "系统故障")
        actions.turn(tx, now=TIMES.closes_at)
        assert told(tx) == []
        actions.turn(tx, now=TIMES.closes_at + DAY)
        assert told(tx) == [("RoundClosed", 1)]

    @pytest.mark.parametrize("now", [NINE - INSTANT, TIMES.closes_at])
    def test_only_while_it_is_open(self, tx: Session, now: datetime) -> None:
        """To the instant."""
        made = make_round(tx)
        with pytest.raises(rules.WrongRoundState):
            self.extend(tx, made, by=DAY, now=now)

    def test_not_over_the_beginning_of_the_next(self, tx: Session) -> None:
        """Up to it."""
        made = make_round(tx, state="open")
        make_round(tx, number=2, opens_at=TIMES.closes_at + DAY)
        self.extend(tx, made, by=DAY, now=NINE)
        with pytest.raises(rules.RoundsOverlap):
            self.extend(tx, made, by=DAY + INSTANT, now=NINE)


class TestCancel:
    def cancel(self, tx: Session, made: Round, *, now: datetime, because: str = "台风") -> Round:
        return actions.cancel_round(
            tx, programme_id=PROGRAMME, round_id=made.id, because=because, seen=ANYTHING, now=now
        )

    def test_one_that_was_never_open_is_called_off_in_silence(self, tx: Session) -> None:
        """Again changes nothing; time does nothing to it any more."""
        made = make_round(tx)

        self.cancel(tx, made, now=NINE - INSTANT)
        self.cancel(tx, made, now=NINE, because="again")
        actions.turn(tx, now=TIMES.publish_at)

        tx.refresh(made)
        assert (made.state, made.cancelled_because, told(tx)) == ("cancelled", "台风", [])

    def test_one_that_is_open_is_told_closed(self, tx: Session) -> None:
        """So that nobody is reminded of it."""
        made = make_round(tx)

        self.cancel(tx, made, now=NINE + DAY)

        *_, closed = outbox.told(tx)
        assert told(tx) == [("RoundOpened", 1), ("RoundClosed", 1)]
        assert isinstance(closed, RoundClosed)
        assert (closed.closed_at, closed.is_cancelled) == (NINE + DAY, True)

    def test_not_once_it_has_closed(self, tx: Session) -> None:
        """What was proposed is reviewed."""
        made = make_round(tx)
        with pytest.raises(rules.WrongRoundState):
            self.cancel(tx, made, now=TIMES.closes_at)


class TestOpenRound:
    @pytest.mark.parametrize("now", [NINE, TIMES.closes_at - INSTANT])
    def test_the_times_decide(self, tx: Session, now: datetime) -> None:
        """Before the timer has come by."""
        made = make_round(tx)
        assert queries.share_open_round(tx, programme_id=PROGRAMME, now=now) is made

    def test_none_is_open_once_it_is_closed_or_cancelled(self, tx: Session) -> None:
        """Nor before it opens, nor in another programme."""
        make_round(tx)
        make_round(tx, number=2, opens_at=NINE + WEEK, state="cancelled", cancelled_because="台风")
        make_round(tx, programme_id=uuid4(), opens_at=NINE + 2 * WEEK)
        for now in (NINE - INSTANT, TIMES.closes_at, NINE + WEEK, NINE + 2 * WEEK):
            with pytest.raises(rules.NoOpenRound):
                queries.share_open_round(tx, programme_id=PROGRAMME, now=now)

    def test_who_proposes_keeps_it_open(self, database: Database, programme: UUID) -> None:
        """Others propose beside it; whoever cancels waits."""
        with database.transaction() as tx:
            made = make_round(tx, programme_id=programme)

        def cancel() -> str:
            with database.transaction() as tx:
                return actions.cancel_round(
                    tx, programme_id=programme, round_id=made.id, because="台风", seen=ANYTHING, now=NINE
                ).state

        with held(database, lambda tx: queries.share_open_round(tx, programme_id=programme, now=NINE)) as start:
            with database.transaction() as tx:
                assert queries.share_open_round(tx, programme_id=programme, now=NINE).id == made.id
            cancelled = start(cancel)

        assert cancelled.result() == "cancelled"


def test_making_ahead_waits_for_who_plans(database: Database, programme: UUID) -> None:
    """So the numbers count up, and the week in which an operator's round is open has that one."""
    with database.transaction() as tx:
        make_round_calendar(tx, programme_id=programme)
    monday = datetime(2022, 6, 6, 1, tzinfo=UTC)
    own = Times(*(monday + at * DAY for at in (0, 1, 2, 3)))

    def make() -> None:
        with database.transaction() as tx:
            actions.make_ahead(tx, now=NINE)

    def plan(tx: Session) -> Round:
        return actions.plan_round(tx, own, programme_id=programme, target=5, now=NINE)

    with held(database, plan) as start:
        made = start(make)
    assert made.result() is None

    with database.transaction() as tx:
        assert weeks(tx, programme) == [None, date(2022, 5, 30), MONDAY + WEEK]
        numbers = tx.scalars(select(Round.number).where(Round.programme_id == programme).order_by(Round.number)).all()
        assert all(later - earlier == 1 for earlier, later in pairwise(numbers))
