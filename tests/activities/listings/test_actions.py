from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.listings import actions, queries, rules
from services.activities.listings.actions import NewListing, NewShift
from services.activities.listings.tables import Listing, Partner, Shift
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.seen import ANYTHING, Seen
from shared.zones import UnknownTimezone
from tests.activities.racing import held
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
MORNING = NewShift(1, rules.Times(NINE, NOON), capacity=10)
EVENING = NewShift(2, rules.Times(NINE + 8 * DAY / 24, NOON + 12 * DAY / 24), capacity=5)


def make_new(partner: Partner, **overrides: Any) -> NewListing:
    return replace(NewListing(partner.id, "L1", "净滩", "Asia/Shanghai", (MORNING, EVENING)), **overrides)


def publish(tx: Session, listing: NewListing, programme_id: UUID = PROGRAMME) -> Listing:
    return actions.publish(tx, programme_id=programme_id, listing=listing, now=NINE)


def cancel(tx: Session, shift: Shift, because: str = "台风", **scope: Any) -> Shift:
    where: dict[str, Any] = {"programme_id": shift.programme_id, "partner_id": None} | scope
    return actions.cancel_shift(tx, shift_id=shift.id, because=because, seen=ANYTHING, **where)


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

    def test_a_reference_names_one_activity(self, tx: Session) -> None:
        """In a programme; another programme may use it too."""
        publish(tx, make_new(make_partner(tx)))
        elsewhere = uuid4()

        with pytest.raises(rules.ReferenceTaken):
            publish(tx, make_new(make_partner(tx)))
        publish(tx, make_new(make_partner(tx, programme_id=elsewhere)), elsewhere)

    def test_only_known_partners_publish(self, tx: Session) -> None:
        """A partner of another programme is not known here."""
        with pytest.raises(rules.UnknownPartner):
            publish(tx, make_new(make_partner(tx, programme_id=uuid4())))

    @pytest.mark.parametrize(
        ("overrides", "refusal"),
        [
            ({"timezone": "Mars/Olympus"}, UnknownTimezone),
            ({"shifts": (MORNING, replace(EVENING, times=rules.Times(NOON, NINE)))}, rules.BadShift),
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


class TestPartner:
    def test_what_changes_about_a_partner_is_noted(self, tx: Session) -> None:
        """The same partner, not another one."""
        facts: dict[str, Any] = {"programme_id": PROGRAMME, "reference": "P1"}
        before = actions.PartnerFacts("绿叶", "carried_over", date(2021, 7, 1))
        after = actions.PartnerFacts("绿叶公益", "signed", date(2022, 1, 1))
        first = actions.record_partner(tx, before, **facts, seen=Seen())
        first_id = first.id

        again = actions.record_partner(tx, after, **facts, seen=Seen.of(first))

        assert (again.id, again.name, again.agreement, again.since) == (
            first_id,
            "绿叶公益",
            "signed",
            date(2022, 1, 1),
        )
        assert queries.find_partners(tx, programme_id=PROGRAMME, references=["P1", "P2"]) == {"P1": again}
        assert queries.find_partner(tx, programme_id=uuid4(), partner_id=first_id) is None


class TestCancel:
    def test_a_shift_is_called_off_for_a_reason(self, tx: Session) -> None:
        """Again changes nothing: the first reason stays."""
        shift = make_shift(tx)

        cancel(tx, shift)
        again = cancel(tx, shift, "下雨")

        assert (again.state, again.cancelled_because) == ("cancelled", "台风")

    @pytest.mark.parametrize("state", ["running", "held"])
    def test_a_shift_where_somebody_came_is_not_called_off(self, tx: Session, state: str) -> None:
        """It happens."""
        shift = make_shift(tx, state=state)
        with pytest.raises(rules.ShiftHasAttendance):
            cancel(tx, shift)

    def test_only_within_ones_own(self, tx: Session) -> None:
        """Another programme's shift, another partner's, and none at all look the same."""
        shift = make_shift(tx)
        for name in ("programme_id", "partner_id"):
            scope: dict[str, Any] = {name: uuid4()}
            with pytest.raises(NotFound):
                cancel(tx, shift, **scope)
        assert cancel(tx, shift, partner_id=shift.partner_id).state == "cancelled"


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
        states = ["open", "running", "held"]
        shifts = [make_shift(tx, listing=listing, number=number, state=state) for number, state in enumerate(states)]
        shifts.append(make_shift(tx, listing=listing, number=9, state="cancelled", cancelled_because="台风"))

        actions.hold_shifts(tx, {shift.id: uuid4() for shift in shifts})

        tx.expire_all()
        assert [shift.state for shift in shifts] == ["held", "held", "held", "cancelled"]
