from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from services.activities.listings import actions, queries, rules
from services.activities.listings.actions import NewListing, NewShift
from services.activities.listings.tables import Listing, ListingWords
from services.activities.partners.rules import UnknownPartner
from services.activities.partners.tables import Partner
from services.activities.words.rules import VERSION, query
from shared.database.sessions import Database
from shared.events.activities_shifts import ListingPublished
from shared.zones import UnknownTimezone
from tests.activities.racing import held
from tests.activities.told import told
from tests.factories.activities import (
    FIRST_OF_JUNE,
    NINE,
    NOON,
    PROGRAMME,
    make_listing,
    make_partner,
    make_shift,
)

DAY = timedelta(days=1)
MORNING = NewShift(1, rules.Times(NINE, NOON), capacity=10, minimum=3)
EVENING = NewShift(2, rules.Times(NINE + 8 * DAY / 24, NOON + 12 * DAY / 24), capacity=5)


def make_new(partner: Partner, **overrides: Any) -> NewListing:
    return replace(NewListing(partner.id, "L1", "净滩", "Asia/Shanghai", (MORNING, EVENING)), **overrides)


def publish(tx: Session, listing: NewListing, programme_id: UUID = PROGRAMME) -> Listing:
    return actions.publish(tx, programme_id=programme_id, listing=listing, now=NINE)


class TestPublish:
    def test_an_activity_appears_with_its_shifts(self, tx: Session) -> None:
        """Each shift with a local date and a secret of its own."""
        partner = make_partner(tx)

        listing = publish(tx, make_new(partner))

        assert (listing.partner_id, listing.title, listing.published_at) == (partner.id, "净滩", NINE)
        first, second = queries.list_shifts(tx, [listing.id])
        assert (first.number, first.starts_at, first.ends_at, first.capacity) == (1, NINE, NOON, 10)
        assert (first.partner_id, first.programme_id, first.taken, first.state) == (partner.id, PROGRAMME, 0, "open")
        assert (first.service_on, second.number, second.service_on) == (FIRST_OF_JUNE, 2, FIRST_OF_JUNE)
        assert first.code_secret != second.code_secret
        assert (first.minimum, second.minimum) == (3, 1)
        fact = ListingPublished(programme_id=PROGRAMME, listing_id=listing.id, partner_id=partner.id, at=NINE)
        assert told(tx) == [fact]

    def test_a_reference_names_one_activity(self, tx: Session) -> None:
        """In a programme; another programme may use it too."""
        publish(tx, make_new(make_partner(tx)))
        elsewhere = uuid4()

        with pytest.raises(rules.ReferenceTaken):
            publish(tx, make_new(make_partner(tx)))
        publish(tx, make_new(make_partner(tx, programme_id=elsewhere)), elsewhere)

    def test_only_known_partners_publish(self, tx: Session) -> None:
        """A partner of another programme is not known here."""
        with pytest.raises(UnknownPartner):
            publish(tx, make_new(make_partner(tx, programme_id=uuid4())))

    @pytest.mark.parametrize(
        ("overrides", "refusal"),
        [
            ({"timezone": "Mars/Olympus"}, UnknownTimezone),
            ({"shifts": (MORNING, replace(EVENING, times=rules.Times(NOON, NINE)))}, rules.BadShift),
            ({"shifts": (MORNING, replace(EVENING, minimum=6))}, rules.BadShift),
        ],
    )
    def test_one_bad_shift_publishes_nothing(
        self, tx: Session, overrides: dict[str, Any], refusal: type[Exception]
    ) -> None:
        """All of it or none."""
        partner = make_partner(tx)

        with pytest.raises(refusal), tx.begin_nested():
            publish(tx, make_new(partner, **overrides))

        assert tx.scalars(select(Listing.id).where(Listing.partner_id == partner.id)).all() == []

    def test_two_at_once_do_not_share_a_reference(self, database: Database, programme: UUID) -> None:
        """The second waits for the first and then is refused, not broken."""
        with database.transaction() as tx:
            partner = make_partner(tx, programme_id=programme)

        def publish_too() -> Listing:
            with database.transaction() as tx:
                return publish(tx, make_new(partner), programme)

        with held(database, lambda tx: publish(tx, make_new(partner), programme)) as start:
            second = start(publish_too)
        assert second.result() == "reference_taken"


class TestStates:
    def test_the_first_arrival_starts_a_shift(self, tx: Session) -> None:
        """Later ones find it running; a cancelled one does not start."""
        shift, cancelled = make_shift(tx), make_shift(tx, state="cancelled", cancelled_because="台风")
        for _ in range(2):
            actions.start_shifts(tx, [shift.id, cancelled.id])
            assert queries.find_states(tx, [shift.id, cancelled.id]) == {shift.id: "running", cancelled.id: "cancelled"}

    def test_settled_service_makes_a_shift_held(self, tx: Session) -> None:
        """Started or not; a cancelled one stays cancelled."""
        listing = make_listing(tx)
        states = ["open", "go", "running", "held"]
        shifts = [make_shift(tx, listing=listing, number=number, state=state) for number, state in enumerate(states)]
        shifts.append(make_shift(tx, listing=listing, number=9, state="cancelled", cancelled_because="台风"))

        told = actions.hold_shifts(tx, [shift.id for shift in shifts], by={}, at=NOON)

        tx.expire_all()
        assert [shift.state for shift in shifts] == ["held"] * 4 + ["cancelled"]
        assert {(fact.shift_id, fact.at) for fact in told} == {(shift.id, NOON) for shift in shifts[:3]}


def found_by(tx: Session, listing_id: UUID, asked: str) -> bool:
    matches = text("SELECT words @@ CAST(:asked AS tsquery) FROM listing_words WHERE listing_id = :id")
    return bool(tx.execute(matches, {"asked": query(asked), "id": listing_id}).scalar_one())


class TestWords:
    def test_a_listing_is_found_from_its_first_moment(self, tx: Session) -> None:
        """By what it says and by its partner; how that is read is looked up by the timer."""
        listing = publish(
            tx, make_new(make_partner(tx, name="绿叶公益"), city="厦门", place="环岛路", description="捡垃圾")
        )

        assert all(found_by(tx, listing.id, asked) for asked in ("净滩", "绿叶", "厦门", "环岛路", "垃圾"))
        assert not found_by(tx, listing.id, "jingtan")
        assert actions.read_listings(tx) >= 1
        assert all(found_by(tx, listing.id, asked) for asked in ("净滩", "jingtan", "jt", "lvye", "xiamen", "laji"))

    def test_what_is_read_is_left_alone(self, tx: Session) -> None:
        """A run after the other finds nothing to do."""
        publish(tx, make_new(make_partner(tx)))
        while actions.read_listings(tx):
            pass

        assert actions.read_listings(tx) == 0

    def test_a_run_is_limited(self, tx: Session) -> None:
        """What is left over is the next run's."""
        partner = make_partner(tx)
        for number in range(2):
            publish(tx, make_new(partner, reference=f"W{number}"))

        assert actions.read_listings(tx, limit=1) == 1
        assert actions.read_listings(tx, limit=1) == 1

    def test_a_partner_that_is_called_otherwise_is_found_by_that(self, tx: Session) -> None:
        """And by its former name no more."""
        partner = make_partner(tx, name="绿叶")
        listing = publish(tx, make_new(partner))
        actions.read_listings(tx)
        partner.name = "蓝海"
        tx.flush()

        assert actions.read_listings(tx) >= 1

        assert found_by(tx, listing.id, "lanhai")
        assert not found_by(tx, listing.id, "绿叶")

    def test_older_rules_are_replaced(self, tx: Session) -> None:
        """What was made by another version is made again."""
        listing = publish(tx, make_new(make_partner(tx)))
        actions.read_listings(tx)
        tx.execute(text("UPDATE listing_words SET version = :version, words = ''"), {"version": VERSION + 1})

        actions.read_listings(tx, limit=10_000)

        assert found_by(tx, listing.id, "净滩")
        assert set(tx.scalars(select(ListingWords.version))) == {VERSION}


def test_words_are_read_of_listings_that_an_older_process_has_published(tx: Session) -> None:
    """Which knows nothing of words: a rolling upgrade goes on while people publish."""
    partner = make_partner(tx)
    values = {"programme_id": PROGRAMME, "partner_id": partner.id, "reference": "OLD", "timezone": "Asia/Shanghai"}
    tx.flush()
    old = tx.scalars(insert(Listing).values(title="净滩", published_at=NINE, **values).returning(Listing.id)).one()

    while actions.read_listings(tx):
        pass

    assert tx.scalars(select(ListingWords.version).where(ListingWords.listing_id == old)).one() == VERSION
