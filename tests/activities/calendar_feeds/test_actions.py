"""What becomes of feeds, and what they show, in the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.calendar_feeds import actions, queries, rules
from services.activities.calendar_feeds.actions import Request
from services.activities.calendar_feeds.tables import CalendarFeed
from services.activities.listings.rules import Times
from services.activities.listings.tables import Shift
from services.activities.partners.rules import UnknownPartner
from services.activities.schedules import actions as schedules
from services.activities.sign_ups.actions import Move, move
from services.activities.sign_ups.rules import Command, State
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.events.activities_shifts import NotRun
from shared.seen import ANYTHING
from tests.activities.racing import held
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    make_listing,
    make_partner,
    make_shift,
    make_sign_up,
    make_standing,
    make_volunteer,
)
from tests.factories.calendar_feeds import SECRET, make_feed

DAY = timedelta(days=1)


def asked(
    volunteer: UUID | None = None, partner: UUID | None = None, *, by: UUID | None = None, replaced: UUID | None = None
) -> Request:  # fmt: skip
    scope = Scope(PROGRAMME, partner_id=partner, volunteer_id=volunteer)
    return Request(scope, by or volunteer or uuid4(), "zh", replaced, NINE)


def found(tx: Session, secret: str, *, now: datetime = NINE) -> CalendarFeed | None:
    return queries.find_by_hash(tx, rules.hash_of(secret), now=now)


class TestRequest:
    def test_of_the_secret_a_hash_is_kept(self, tx: Session) -> None:
        """By which alone the feed is found."""
        person = make_volunteer(tx)
        feed, secret = actions.request(tx, asked(person.id))

        assert (feed.kind, feed.person_id, feed.volunteer_id, feed.partner_id) == (
            "volunteer",
            person.id,
            person.id,
            None,
        )
        assert (feed.secret_hash, feed.expires_at) == (rules.hash_of(secret), None)
        assert found(tx, secret) is feed
        assert found(tx, secret[:-1]) is None

    def test_is_for_who_is_there(self, tx: Session) -> None:
        """Registered, and a partner that is known."""
        with pytest.raises(NotFound):
            actions.request(tx, asked(uuid4()))
        with pytest.raises(UnknownPartner):
            actions.request(tx, asked(partner=uuid4()))

    def test_ends_what_it_replaces(self, tx: Session) -> None:
        """In the same step; the list shows that it has ended."""
        person = make_volunteer(tx)
        old, old_secret = actions.request(tx, asked(person.id))
        new, secret = actions.request(tx, asked(person.id, replaced=old.id))

        assert (old.revoked_at, old.secret_hash, new.revoked_at) == (NINE, None, None)
        assert found(tx, old_secret) is None
        assert found(tx, secret) is new

    def test_replaces_what_is_ones_own_and_alike(self, tx: Session) -> None:
        """Not a colleague's of the same partner, nor one's own of another kind."""
        partner, person = make_partner(tx), make_volunteer(tx)
        theirs = make_feed(tx, partner_id=partner.id)
        own = make_feed(tx, volunteer_id=person.id)
        for feed in (theirs, own):
            with pytest.raises(NotFound):
                actions.request(tx, asked(partner=partner.id, by=person.id, replaced=feed.id))
            assert feed.revoked_at is None
        with pytest.raises(NotFound):
            actions.request(tx, asked(by=person.id, replaced=own.id))

    def test_is_refused_where_there_are_ten_that_hold(self, tx: Session) -> None:
        """Whatever they are of; those that ended do not count, and one that is replaced makes room."""
        person, partner = make_volunteer(tx), make_partner(tx)
        for _ in range(9):
            make_feed(tx, partner_id=partner.id, person_id=person.id)
        make_feed(tx, volunteer_id=person.id, revoked_at=NINE, secret_hash=None)
        make_feed(tx, partner_id=partner.id, person_id=person.id, expires_at=NINE)
        last, _ = actions.request(tx, asked(person.id))

        with pytest.raises(rules.TooManyFeeds):
            actions.request(tx, asked(person.id))
        actions.request(tx, asked(person.id, replaced=last.id))

    def test_two_at_once_do_not_both_take_the_last_room(self, database: Database) -> None:
        """The second waits for the first, and counts it."""
        person = uuid4()
        with database.transaction() as tx:
            for _ in range(9):
                make_feed(tx, person_id=person)

        def ask_too() -> None:
            with database.transaction() as tx:
                actions.request(tx, asked(by=person))

        with held(database, lambda tx: actions.request(tx, asked(by=person))) as start:
            second = start(ask_too)
        assert second.result() == "too_many_calendar_feeds"


class TestRevoke:
    def test_the_address_leads_nowhere_from_now_on(self, tx: Session) -> None:
        """Again changes nothing, the instant neither."""
        person = make_volunteer(tx)
        feed, secret = actions.request(tx, asked(person.id))
        for now in (NOON, NOON + DAY):
            actions.revoke(tx, Scope(PROGRAMME, volunteer_id=person.id), feed.id, now=now)

        assert (feed.revoked_at, feed.secret_hash) == (NOON, None)
        assert found(tx, secret) is None

    def test_is_for_who_asked_their_partner_and_operators(self, tx: Session) -> None:
        """A colleague takes back what somebody left behind."""
        partner, person = make_partner(tx), uuid4()
        feed = make_feed(tx, partner_id=partner.id, person_id=person)
        others = [
            Scope(uuid4()), Scope(PROGRAMME, partner_id=make_partner(tx).id), Scope(PROGRAMME, volunteer_id=uuid4())
        ]  # fmt: skip
        for scope in others:
            with pytest.raises(NotFound):
                actions.revoke(tx, scope, feed.id, now=NINE)
        for scope in (
            Scope(PROGRAMME), Scope(PROGRAMME, partner_id=partner.id), Scope(PROGRAMME, volunteer_id=person)
        ):  # fmt: skip
            assert actions.revoke(tx, scope, feed.id, now=NINE) is feed


class TestFind:
    def test_what_is_not_ones_own_ends_by_itself(self, tx: Session) -> None:
        """To the instant."""
        feed = make_feed(tx, secret=SECRET, expires_at=NOON)

        assert found(tx, SECRET, now=NOON - timedelta(microseconds=1)) is feed
        assert found(tx, SECRET, now=NOON) is None

    @pytest.mark.parametrize(("standing", "holds"), [("suspended", True), ("exited", False)])
    def test_a_partner_that_left_has_none(self, tx: Session, standing: str, *, holds: bool) -> None:
        """Who is suspended still holds what is published."""
        partner = make_partner(tx)
        make_feed(tx, secret=SECRET, partner_id=partner.id)
        own = make_feed(tx, secret="own", volunteer_id=make_volunteer(tx).id)
        make_standing(tx, partner, standing=standing)

        assert (found(tx, SECRET) is not None) is holds
        assert found(tx, "own") is own


@pytest.fixture
def volunteer(tx: Session) -> Volunteer:
    return make_volunteer(tx)


def places(tx: Session, volunteer: Volunteer, *, now: datetime = NINE) -> Sequence[queries.Place]:
    return queries.list_places(tx, volunteer_id=volunteer.id, window=rules.window(now))


class TestPlaces:
    def test_are_ones_own_soonest_first(self, tx: Session, volunteer: Volunteer) -> None:
        """With the activity, its place and host, and how the person stands."""
        listing = make_listing(tx, title="净滩", city="厦门", place="环岛路", description="捡垃圾")
        later = make_shift(tx, listing=listing, starts_at=NOON + DAY, ends_at=NOON + 2 * DAY)
        sooner = make_shift(tx, listing=listing, number=2)
        for shift in (later, sooner):
            make_sign_up(tx, shift, volunteer=volunteer)
            make_sign_up(tx, shift)

        first, second = places(tx, volunteer)

        assert [first.occasion.shift_id, second.occasion.shift_id] == [sooner.id, later.id]
        shown = first.occasion
        assert (shown.title, shown.city, shown.place, shown.host) == ("净滩", "厦门", "环岛路", "绿叶")
        assert (first.state, shown.timezone, shown.revision) == ("confirmed", "Asia/Shanghai", 0)

    @pytest.mark.parametrize(
        ("shifted", "shown"),
        [(-30 * DAY, False), (-30 * DAY + timedelta(minutes=1), True), (366 * DAY, True), (367 * DAY, False)],
    )
    def test_are_of_a_month_back_and_a_year_ahead(
        self, tx: Session, volunteer: Volunteer, shifted: timedelta, *, shown: bool
    ) -> None:
        """By its end, half-open, and by its start."""
        ends_at = NINE + shifted
        make_sign_up(tx, make_shift(tx, starts_at=ends_at - timedelta(hours=2), ends_at=ends_at), volunteer=volunteer)

        assert bool(places(tx, volunteer)) is shown

    @pytest.mark.parametrize("state", sorted(rules.GONE))
    def test_that_were_given_back_are_told_for_a_month(self, tx: Session, volunteer: Volunteer, state: State) -> None:
        """Long enough for every calendar to drop them, though the shift is still to come."""
        shift = make_shift(tx, starts_at=NINE + 60 * DAY, ends_at=NOON + 60 * DAY)
        make_sign_up(tx, shift, volunteer=volunteer, state=state, ended_at=NINE)

        assert [place.state for place in places(tx, volunteer, now=NINE + 30 * DAY - timedelta(minutes=1))] == [state]
        assert places(tx, volunteer, now=NINE + 30 * DAY) == []

    def test_rise_with_every_change(self, tx: Session, volunteer: Volunteer) -> None:
        """Of the place and of the shift; when it was last is told as well."""
        shift = make_shift(tx, starts_at=NINE + 9 * DAY, ends_at=NOON + 9 * DAY)
        place = make_sign_up(tx, shift, volunteer=volunteer, signed_up_at=NINE)

        seen = [(0, NINE)]
        for step, change in enumerate((Command.WITHDRAW, Command.RETURN), start=1):
            move(tx, Move(change, NINE + step * DAY), [place.id])
            seen.append((step, NINE + step * DAY))
            [shown] = places(tx, volunteer)
            assert (shown.occasion.revision, shown.occasion.changed_at) == seen[-1]
        reschedule(tx, shift, at=NINE + 3 * DAY)
        [shown] = places(tx, volunteer)
        assert (shown.occasion.revision, shown.occasion.changed_at) == (3, NINE + 3 * DAY)

    def test_are_no_more_than_a_calendar_holds(self, tx: Session, volunteer: Volunteer) -> None:
        """What is to come goes first, then what was of late."""
        listing = make_listing(tx)
        days = (-3, -2, 1, 200)
        for number, day in enumerate(days, start=1):
            times = {"starts_at": NINE + day * DAY, "ends_at": NOON + day * DAY}
            make_sign_up(tx, make_shift(tx, listing=listing, number=number, **times), volunteer=volunteer)

        few = queries.list_places(tx, volunteer_id=volunteer.id, window=replace(rules.window(NINE), most=3))
        assert [(each.occasion.starts_at - NINE).days for each in few] == [-2, 1, 200]


def reschedule(tx: Session, shift: Shift, *, at: datetime) -> None:
    times = Times(shift.starts_at + DAY, shift.ends_at + DAY)
    schedules.reschedule(tx, schedules.Decision(PROGRAMME, shift.id, None, ANYTHING, at), times)


class TestShifts:
    def test_are_a_partners_or_all_of_a_programme(self, tx: Session) -> None:
        """And of no other; signing up changes the number of places and nothing that calendars count."""
        mine, other = make_shift(tx), make_shift(tx)
        make_shift(tx, programme_id=uuid4())
        make_sign_up(tx, mine)
        window = rules.window(NINE)

        own = queries.list_shifts(tx, Scope(PROGRAMME, partner_id=mine.partner_id), window=window)
        everything = queries.list_shifts(tx, Scope(PROGRAMME), window=window)

        assert [(each.shift_id, each.taken, each.revision) for each in own] == [(mine.id, 1, 0)]
        assert {each.shift_id for each in everything} >= {mine.id, other.id}

    def test_rise_when_they_are_moved_and_called_off(self, tx: Session) -> None:
        """Each decision that calendars are to hear of counts once; that it happens is none."""
        shift = make_shift(tx, starts_at=NINE + 9 * DAY, ends_at=NOON + 9 * DAY)
        decision = schedules.Decision(PROGRAMME, shift.id, None, ANYTHING, NINE + DAY)
        schedules.decide_go(tx, decision)
        assert (shift.revision, shift.revised_at) == (0, None)
        reschedule(tx, shift, at=NINE + DAY)
        assert (shift.revision, shift.revised_at) == (1, NINE + DAY)
        schedules.decide_no_go(tx, decision, because="台风")
        assert shift.revision == 2

    @pytest.mark.parametrize("how", ["cancel", "cancel_listing", "record_not_run"])
    def test_rise_however_they_are_called_off(self, tx: Session, how: str) -> None:
        """By itself, with its activity, or because nobody came."""
        shift = make_shift(tx)
        thing, now = (shift.listing_id if how == "cancel_listing" else shift.id), NINE - DAY
        decision = schedules.Decision(PROGRAMME, thing, None, ANYTHING, NOON if how == "record_not_run" else now)
        if how == "record_not_run":
            schedules.record_not_run(tx, decision, code=NotRun.WEATHER, because="台风")
        else:
            getattr(schedules, how)(tx, decision, because="台风")

        tx.refresh(shift)
        assert (shift.revision, shift.revised_at) == (1, decision.at)


class TestWhoseTheyAre:
    def test_a_merge_hands_them_over(self, tx: Session) -> None:
        """The address stays, and shows what the record that stays has."""
        kept, merged, partner = make_volunteer(tx), make_volunteer(tx), make_partner(tx)
        own = make_feed(tx, secret=SECRET, volunteer_id=merged.id)
        hosts = make_feed(tx, partner_id=partner.id, person_id=merged.id)
        actions.hand_over(tx, kept_id=kept.id, merged_id=merged.id)
        tx.expire_all()

        assert (own.person_id, own.volunteer_id) == (kept.id, kept.id)
        assert (hosts.person_id, hosts.volunteer_id, hosts.partner_id) == (kept.id, None, partner.id)
        assert found(tx, SECRET) is own

    def test_an_erasure_removes_them(self, tx: Session) -> None:
        """All that the person asked for, in whatever role; nobody else's."""
        person, partner = make_volunteer(tx), make_partner(tx)
        make_feed(tx, secret=SECRET, volunteer_id=person.id)
        make_feed(tx, partner_id=partner.id, person_id=person.id)
        other = make_feed(tx, partner_id=partner.id)
        actions.forget(tx, volunteer_id=person.id)

        rows = select(CalendarFeed.id).where(CalendarFeed.programme_id == PROGRAMME)
        assert found(tx, SECRET) is None
        assert tx.scalars(rows.where(CalendarFeed.id.in_([other.id]))).all() == [other.id]
        assert tx.scalars(select(CalendarFeed.id).where(CalendarFeed.person_id == person.id)).all() == []
