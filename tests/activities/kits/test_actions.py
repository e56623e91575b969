from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.checklists.rules import Kit as Agreed
from services.activities.checklists.rules import Mode
from services.activities.kits import actions, queries, rules
from services.activities.kits.actions import Address, Handling, Host, Parcel
from services.activities.kits.handlers import follow_shifts, release_kits
from services.activities.kits.rules import State
from services.activities.kits.tables import Kit, KitAddress, KitTerms
from services.activities.listings.rules import Times
from services.activities.listings.tables import Listing, Shift
from services.activities.places import actions as places
from services.activities.places.actions import Own
from services.activities.proposals.rules import State as ProposalState
from services.activities.reviews import actions as reviews
from services.activities.schedules import actions as schedules
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.actions import pseudonymise
from services.activities.volunteers.queries import lock_volunteer
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.bus.testing import deliver, message_of
from shared.database.sessions import Database
from shared.errors import NotFound, Refusal
from shared.events.activities_kits import (
    KitCancellation,
    KitCancelled,
    KitIssued,
    KitReceived,
    KitShipped,
    KitSide,
)
from shared.events.activities_shifts import ShiftRescheduled
from shared.events.activities_sign_ups import OfSignUp
from shared.seen import ANYTHING
from tests.activities.asking import sign_up
from tests.activities.calling_off import call_off
from tests.activities.racing import at_once, held
from tests.activities.told import emitted_of, told
from tests.factories.activities import NINE, NOON, PROGRAMME, at, make_round, make_shift, make_sign_up, make_volunteer
from tests.factories.kits import (
    ADDRESS,
    DUE,
    MEMBER,
    consent,
    make_address,
    make_craft_shift,
    make_kit,
    make_kit_terms,
    withdraw,
)
from tests.factories.proposals import make_proposal

BEFORE = NINE - timedelta(days=1)
HOST = Host(PROGRAMME, MEMBER, None, BEFORE)
HOME = Address(**ADDRESS)


def issue(tx: Session, shift: Shift, *people: UUID, host: Host = HOST) -> list[Kit | str]:
    outcomes = actions.issue(tx, host, shift_id=shift.id, volunteer_ids=people)
    return [each.code if isinstance(each, Refusal) else each for each in outcomes]


def ship(tx: Session, shift: Shift, *kits: UUID, host: Host = HOST, number: str = "SF1") -> list[Kit | str]:
    parcels = [Parcel(each, "顺丰", number) for each in kits]
    outcomes = actions.ship(tx, host, shift_id=shift.id, parcels=parcels)
    return [each.code if isinstance(each, Refusal) else each for each in outcomes]


def handling(kit: Kit, *, side: KitSide = KitSide.PARTNER, now: datetime = NOON) -> Handling:
    return Handling(Scope(kit.programme_id), kit.id, MEMBER, side, now)


def own(kit: Kit) -> Scope:
    return Scope(kit.programme_id, volunteer_id=kit.volunteer_id)


def addresses(tx: Session, *kits: Kit) -> list[UUID]:
    rows = select(KitAddress.kit_id).where(KitAddress.kit_id.in_([kit.id for kit in kits]))
    return list(tx.scalars(rows))


def shift_of(tx: Session, kit: Kit) -> Shift:
    return tx.get_one(Shift, kit.shift_id)


class TestTerms:
    @pytest.mark.parametrize(("days", "kept"), [(None, 10), (5, 5)])
    def test_what_was_agreed_is_kept_when_the_activity_is_published(
        self, tx: Session, days: int | None, kept: int
    ) -> None:
        """By its listing; what has no kit keeps none."""
        call = make_round(tx)
        craft = make_proposal(
            tx, state=ProposalState.APPROVED, call=call, mode=Mode.CRAFT, kit=Agreed("毛线", 3_000, days)
        )
        plain = make_proposal(tx, state=ProposalState.APPROVED, call=call)

        reviews.publish_approved(tx, now=NINE + timedelta(days=10))

        assert craft.listing_id is not None
        terms = queries.find_terms(tx, craft.listing_id)
        assert (terms.contents, terms.ceiling_fen, terms.due_days) == ("毛线", 3_000, kept)
        assert plain.listing_id is not None
        with pytest.raises(rules.NoKitTerms):
            queries.find_terms(tx, plain.listing_id)

    def test_without_a_ceiling_there_is_no_kit(self, tx: Session) -> None:
        """The checklist asks for one before; what slipped through costs nobody anything."""
        shift = make_shift(tx)
        actions.keep_terms(tx, programme_id=PROGRAMME, terms={shift.listing_id: Agreed("毛线")})
        assert tx.get(KitTerms, shift.listing_id) is None


class TestIssue:
    def test_a_kit_is_issued_for_a_place(self, tx: Session) -> None:
        """It is told, with when it is due back; again changes nothing."""
        place = make_sign_up(tx, make_craft_shift(tx))
        shift = tx.get_one(Shift, place.shift_id)

        [kit] = issue(tx, shift, place.volunteer_id)
        [again] = issue(tx, shift, place.volunteer_id)

        assert isinstance(kit, Kit)
        assert again is kit
        assert (kit.state, kit.sign_up_id, kit.due_at, kit.issued_by) == ("issued", place.id, DUE, MEMBER)
        assert told(tx) == [
            KitIssued(
                programme_id=PROGRAMME, kit_id=kit.id, sign_up_id=place.id, shift_id=shift.id,
                listing_id=shift.listing_id, partner_id=shift.partner_id, volunteer_id=place.volunteer_id,
                due_at=DUE, at=BEFORE,
            )
        ]  # fmt: skip

    def test_many_are_issued_each_by_themselves(self, tx: Session) -> None:
        """Who cannot have one does not stand in the way of the others; who is named twice has one."""
        shift = make_craft_shift(tx)
        fine, waits, other = (
            make_sign_up(tx, shift),
            make_sign_up(tx, shift, state="waitlisted"),
            make_sign_up(tx, shift),
        )
        late = make_sign_up(tx, shift)
        make_kit(tx, place=make_sign_up(tx, make_craft_shift(tx), volunteer=tx.get_one(Volunteer, late.volunteer_id)),
                 state=State.OVERDUE)  # fmt: skip
        people = [each.volunteer_id for each in (fine, waits, late, other, fine)]

        outcomes = issue(tx, shift, *people, uuid4())

        first, *refused, second, repeated, nobody = outcomes
        assert refused == ["not_signed_up", "kits_blocked"]
        assert nobody == "not_signed_up"
        assert repeated is first
        assert [getattr(each, "sign_up_id", None) for each in (first, second)] == [fine.id, other.id]
        assert len(emitted_of(tx, KitIssued)) == 2

    def test_the_days_that_were_agreed_count(self, tx: Session) -> None:
        """Of the activity's own terms, in its own zone."""
        shift = make_shift(tx, state="go")
        row = tx.get_one(Listing, shift.listing_id)
        row.timezone = "America/New_York"
        make_kit_terms(tx, row, due_days=1)
        [kit] = issue(tx, shift, make_sign_up(tx, shift).volunteer_id)
        assert isinstance(kit, Kit)
        assert kit.due_at.isoformat() == "2022-06-03T04:00:00+00:00"  # It is the first of June there from midnight on.

    def test_before_the_decision_nothing_is_issued(self, tx: Session) -> None:
        """Nor for an activity without a kit, nor by another partner, nor in another programme."""
        undecided = make_craft_shift(tx, state="open")
        person = make_sign_up(tx, undecided).volunteer_id
        plain = make_shift(tx, state="go")
        with pytest.raises(rules.ShiftUndecided):
            issue(tx, undecided, person)
        with pytest.raises(rules.NoKitTerms):
            issue(tx, plain, person)
        for host in (Host(PROGRAMME, MEMBER, uuid4(), BEFORE), Host(uuid4(), MEMBER, None, BEFORE)):
            with pytest.raises(NotFound):
                issue(tx, make_craft_shift(tx), person, host=host)
        assert told(tx) == []

    def test_nobody_issues_a_kit_to_themself(self, tx: Session) -> None:
        """A partner's member may be a volunteer as well."""
        shift = make_craft_shift(tx)
        person = make_sign_up(tx, shift).volunteer_id
        assert issue(tx, shift, person, host=Host(PROGRAMME, person, None, BEFORE)) == ["own_kit"]

    def test_who_was_erased_or_merged_gets_none(self, tx: Session) -> None:
        """There is nobody to send it to."""
        shift = make_craft_shift(tx)
        kept, merged = make_volunteer(tx), make_volunteer(tx)
        place = make_sign_up(tx, shift, volunteer=merged)
        merged.merged_into, merged.merged_at = kept.id, NOON
        tx.flush()
        assert issue(tx, shift, place.volunteer_id) == ["not_signed_up"]

    @pytest.mark.parametrize(
        ("state", "now", "cleared", "blocks"),
        [
            (State.OVERDUE, BEFORE, False, True), (State.LOST, BEFORE, False, True),
            (State.OVERDUE, BEFORE, True, False), (State.LOST, BEFORE, True, False),
            (State.SHIPPED, DUE, False, True), (State.RECEIVED, DUE, False, True),
            (State.SHIPPED, DUE - timedelta(seconds=1), False, False), (State.RETURNED, DUE, False, False),
            (State.CANCELLED, DUE, False, False), (State.ISSUED, DUE, False, False),
        ],
    )  # fmt: skip
    def test_what_is_late_or_lost_keeps_from_another(
        self, tx: Session, state: State, now: object, *, cleared: bool, blocks: bool
    ) -> None:
        """By rule, whether or not the timer has run; until it is back, or an operator has cleared it."""
        person = make_volunteer(tx)
        make_kit(
            tx, place=make_sign_up(tx, make_craft_shift(tx), volunteer=person), state=state,
            cleared_at=NOON if cleared else None, cleared_by=MEMBER if cleared else None,
        )  # fmt: skip
        shift = make_craft_shift(tx)
        make_sign_up(tx, shift, volunteer=person)
        [outcome] = issue(tx, shift, person.id, host=Host(PROGRAMME, MEMBER, None, now))  # type: ignore[arg-type]  # An instant.
        assert (outcome == "kits_blocked") is blocks

    def test_after_a_kit_was_cancelled_another_one_is_issued(self, tx: Session) -> None:
        """For the same place; somebody may come back."""
        kit = make_kit(tx, state=State.CANCELLED)
        [another] = issue(tx, shift_of(tx, kit), kit.volunteer_id)
        assert isinstance(another, Kit)
        assert another.id != kit.id


class TestAddress:
    def test_a_person_says_where_to(self, tx: Session) -> None:
        """With consent; another address takes the first one's place."""
        kit = make_kit(tx)
        consent(tx, kit)
        actions.give_address(tx, own(kit), kit.id, HOME, now=NINE)
        actions.give_address(tx, own(kit), kit.id, Address("合成乙", "13900000000", "别处 2 号"), now=NINE)
        tx.flush()

        shown = queries.get_address(tx, Scope(PROGRAMME, partner_id=kit.partner_id), kit.id)

        assert (shown.recipient, shown.postal_address) == ("合成乙", "别处 2 号")
        assert [each.kit_id for each in queries.list_addresses(tx, shift_id=kit.shift_id)] == [kit.id]
        assert told(tx) == []

    def test_without_consent_none_is_kept(self, tx: Session) -> None:
        """Nobody is asked to trust that it will not be used."""
        kit = make_kit(tx)
        with pytest.raises(rules.AddressConsentNeeded):
            actions.give_address(tx, own(kit), kit.id, HOME, now=NINE)
        assert addresses(tx, kit) == []

    def test_once_it_is_sent_it_is_too_late(self, tx: Session) -> None:
        """And others' kits are unknown."""
        kit = make_kit(tx, state=State.SHIPPED)
        consent(tx, kit)
        with pytest.raises(rules.KitStateDiffers):
            actions.give_address(tx, own(kit), kit.id, HOME, now=NINE)
        with pytest.raises(NotFound):
            actions.give_address(tx, Scope(PROGRAMME, volunteer_id=uuid4()), kit.id, HOME, now=NINE)

    @pytest.mark.parametrize("state", State)
    def test_a_partner_reads_it_until_it_has_arrived(self, tx: Session, state: State) -> None:
        """Its person and operators as long as it is there; another partner never."""
        kit = make_kit(tx, state=state)
        make_address(tx, kit)
        assert queries.get_address(tx, own(kit), kit.id).kit_id == kit.id
        assert queries.get_address(tx, Scope(PROGRAMME), kit.id).kit_id == kit.id
        partner = Scope(PROGRAMME, partner_id=kit.partner_id)
        if state in {State.ISSUED, State.SHIPPED}:
            assert queries.get_address(tx, partner, kit.id).kit_id == kit.id
        else:
            with pytest.raises(NotFound):
                queries.get_address(tx, partner, kit.id)
        with pytest.raises(NotFound):
            queries.get_address(tx, Scope(PROGRAMME, partner_id=uuid4()), kit.id)

    def test_whose_consent_is_withdrawn_is_seen_by_nobody(self, tx: Session) -> None:
        """At once; then the timer deletes it, and it is asked for anew."""
        kit, other = make_kit(tx), make_kit(tx)
        make_address(tx, kit)
        make_address(tx, other)
        withdraw(tx, kit)
        for scope in (Scope(PROGRAMME), own(kit), Scope(PROGRAMME, partner_id=kit.partner_id)):
            with pytest.raises(NotFound):
                queries.get_address(tx, scope, kit.id)
        assert queries.list_addresses(tx, shift_id=kit.shift_id) == []
        assert ship(tx, shift_of(tx, kit), kit.id) == ["no_kit_address"]

        actions.forget_addresses(tx, limit=1_000)

        assert addresses(tx, kit, other) == [other.id]

    def test_what_no_kit_needs_goes_by_timer(self, tx: Session) -> None:
        """Whatever left it behind."""
        kits = [make_kit(tx, state=state) for state in State]
        for kit in kits:
            make_address(tx, kit)
        actions.forget_addresses(tx, limit=1_000)
        kept = {kit.state for kit in kits if addresses(tx, kit)}
        assert kept == {State.ISSUED, State.SHIPPED, State.OVERDUE}


class TestShip:
    def test_what_was_handed_to_a_carrier_is_told(self, tx: Session) -> None:
        """Each by itself; the same again changes nothing."""
        shift = make_craft_shift(tx)
        ready, unaddressed, again = (make_kit(tx, shift=shift) for _ in range(3))
        make_address(tx, ready)
        make_address(tx, again)
        elsewhere = make_kit(tx)

        outcomes = ship(tx, shift, ready.id, unaddressed.id, again.id, again.id, elsewhere.id, uuid4())

        assert outcomes == [ready, "no_kit_address", again, again, "not_found", "not_found"]
        assert (ready.state, ready.carrier, ready.tracking_number) == ("shipped", "顺丰", "SF1")
        assert [fact.kit_id for fact in emitted_of(tx, KitShipped)] == [ready.id, again.id]
        assert ship(tx, shift, ready.id) == [ready]
        assert ship(tx, shift, ready.id, number="SF2") == ["kit_state_differs"]
        assert addresses(tx, ready) == [ready.id]  # The carrier may have to be asked.

    @pytest.mark.parametrize("state", ["withdrawn", "excused", "cancelled_by_host", "missed"])
    def test_nothing_is_sent_to_who_does_not_come(self, tx: Session, state: str) -> None:
        """Also before the kit was cancelled for it."""
        shift = make_craft_shift(tx)
        kit = make_kit(tx, place=make_sign_up(tx, shift, state=state))
        make_address(tx, kit)
        assert ship(tx, shift, kit.id) == ["not_signed_up"]

    def test_nothing_is_sent_while_it_is_decided_anew(self, tx: Session) -> None:
        """A shift that was moved is open again; others' shifts are unknown."""
        kit = make_kit(tx)
        shift = shift_of(tx, kit)
        shift.state = "open"
        tx.flush()
        with pytest.raises(rules.ShiftUndecided):
            ship(tx, shift, kit.id)
        with pytest.raises(NotFound):
            ship(tx, shift, kit.id, host=Host(PROGRAMME, MEMBER, uuid4(), BEFORE))


class TestReceive:
    @pytest.mark.parametrize(
        ("side", "evidence"), [(KitSide.VOLUNTEER, None), (KitSide.PARTNER, "快递显示已签收")]
    )  # fmt: skip
    def test_either_side_says_that_it_has_arrived(self, tx: Session, side: KitSide, evidence: str | None) -> None:
        """Then nobody needs the address any more; again changes nothing."""
        kit = make_kit(tx, state=State.SHIPPED)
        make_address(tx, kit)
        for _ in range(2):
            actions.receive(tx, handling(kit, side=side), evidence=evidence)
        assert (kit.state, kit.received_at, kit.receipt_note) == ("received", NOON, evidence)
        [fact] = told(tx)
        assert isinstance(fact, KitReceived)
        assert fact.received_by == side
        assert addresses(tx, kit) == []

    def test_what_was_not_sent_has_not_arrived(self, tx: Session) -> None:
        """Nor what is overdue; nothing is told."""
        for state in (State.ISSUED, State.OVERDUE, State.CANCELLED):
            with pytest.raises(rules.KitStateDiffers):
                actions.receive(tx, handling(make_kit(tx, state=state)), evidence=None)
        assert told(tx) == []


def facts_of(tx: Session, kind: type[OfSignUp] | type[ShiftRescheduled]) -> list[OfSignUp | ShiftRescheduled]:
    return [fact for fact in told(tx) if isinstance(fact, kind)]


def hear(tx: Session) -> None:
    """Deliver what was told of places and shifts, twice and in another order."""
    tx.flush()
    for fact in [*facts_of(tx, OfSignUp), *reversed(facts_of(tx, OfSignUp))]:
        if type(fact) in release_kits.events:
            deliver(tx, release_kits, message_of(fact))
    for fact in facts_of(tx, ShiftRescheduled) * 2:
        deliver(tx, follow_shifts, message_of(fact))
    tx.expire_all()


class TestCancel:
    def test_a_partner_takes_back_what_was_not_sent(self, tx: Session) -> None:
        """Again changes nothing; what was sent has to come back."""
        kit, sent = make_kit(tx), make_kit(tx, state=State.SHIPPED)
        make_address(tx, kit)
        for _ in range(2):
            actions.cancel(tx, handling(kit))
        assert (kit.state, kit.cancelled_because, addresses(tx, kit)) == ("cancelled", "by_host", [])
        [fact] = told(tx)
        assert isinstance(fact, KitCancelled)
        assert fact.because is KitCancellation.BY_HOST
        with pytest.raises(rules.KitStateDiffers):
            actions.cancel(tx, handling(sent))

    def test_who_gives_the_place_back_gets_no_kit(self, tx: Session) -> None:
        """However often and late it is heard; what was sent stays with the person."""
        shift = make_craft_shift(tx)
        kit, sent = make_kit(tx, shift=shift), make_kit(tx, shift=shift, state=State.SHIPPED)
        make_address(tx, kit)
        for each in (kit, sent):
            person = Own(PROGRAMME, each.sign_up_id, each.volunteer_id, BEFORE)
            places.withdraw(tx, person, because="出差")
        hear(tx)
        assert (kit.state, kit.cancelled_because, sent.state) == ("cancelled", "place_gone", "shipped")
        assert addresses(tx, kit) == []
        assert [fact.kit_id for fact in emitted_of(tx, KitCancelled)] == [kit.id]

    def test_who_came_back_before_it_was_heard_keeps_it(self, tx: Session) -> None:
        """The place counts as it stands, not as it was told."""
        kit = make_kit(tx)
        places.withdraw(tx, Own(PROGRAMME, kit.sign_up_id, kit.volunteer_id, BEFORE), because="出差")
        sign_up(
            tx, programme_id=PROGRAMME, shift_id=kit.shift_id, volunteer_id=kit.volunteer_id, now=BEFORE
        )  # fmt: skip
        hear(tx)
        assert kit.state == "issued"

    def test_a_shift_that_is_called_off_sends_none(self, tx: Session) -> None:
        """By whatever decision: its places are cancelled with it."""
        kit = make_kit(tx)
        call_off(tx, kit.shift_id)
        hear(tx)
        assert (kit.state, kit.cancelled_because) == ("cancelled", "place_gone")

    def test_a_shift_that_is_moved_moves_what_is_due(self, tx: Session) -> None:
        """Of kits that are under way; what is overdue stays so."""
        shift = make_craft_shift(tx)
        kit, sent, late = (make_kit(tx, shift=shift, state=each) for each in ("issued", "shipped", "overdue"))
        week = timedelta(days=7)
        schedules.reschedule(
            tx, schedules.Decision(PROGRAMME, shift.id, None, ANYTHING, BEFORE), Times(NINE + week, NOON + week)
        )  # fmt: skip
        hear(tx)
        assert [kit.due_at, sent.due_at, late.due_at] == [DUE + week, DUE + week, DUE]

    def test_what_was_never_sent_is_not_sent_late(self, tx: Session) -> None:
        """When it would be due back it is cancelled, also weeks after: no address is kept for ever."""
        kit, later = make_kit(tx), make_kit(tx, due_at=DUE + timedelta(days=90))
        make_address(tx, kit)
        actions.cancel_unsent(tx, now=DUE - timedelta(seconds=1), limit=1_000)
        assert kit.state == "issued"
        actions.cancel_unsent(tx, now=DUE + timedelta(days=40), limit=1_000)
        assert (kit.state, kit.cancelled_because, later.state) == ("cancelled", "not_shipped", "issued")
        assert addresses(tx, kit) == []


def test_of_who_is_erased_no_address_and_no_word_is_left(tx: Session) -> None:
    """That there was a kit stays."""
    kit, other = make_kit(tx, state=State.SHIPPED), make_kit(tx, state=State.SHIPPED)
    make_address(tx, kit)
    make_address(tx, other)
    actions.forget(tx, volunteer_id=kit.volunteer_id)
    tx.refresh(kit)
    assert (kit.state, kit.carrier, kit.tracking_number) == ("shipped", None, None)
    assert (addresses(tx, kit, other), other.tracking_number) == ([other.id], "SF1")


def test_kits_go_over_with_a_record_that_is_merged(tx: Session) -> None:
    """All of them: who has them in hand is one person, and is kept from another by any of them."""
    kit, kept = make_kit(tx, state=State.OVERDUE), make_volunteer(tx)
    actions.hand_over(tx, kept_id=kept.id, merged_id=kit.volunteer_id)
    tx.refresh(kit)
    assert kit.volunteer_id == kept.id
    assert queries.find_blocking(tx, volunteer_ids=[kept.id], now=NINE) == {kept.id: kit.id}


class TestAtOnce:
    @pytest.fixture
    def place(self, database: Database, programme: UUID) -> SignUp:
        with database.transaction() as tx:
            return make_sign_up(tx, make_craft_shift(tx, programme_id=programme))

    def run(self, database: Database, act: Callable[[Session], object]) -> Callable[[], object]:
        def go() -> object:
            with database.transaction() as tx:
                return act(tx)

        return go

    def test_a_kit_issued_twice_at_once_is_one(self, database: Database, place: SignUp, programme: UUID) -> None:
        """Two members of the partner, or a double click."""
        host = Host(programme, MEMBER, None, BEFORE)

        def issued(tx: Session) -> UUID:
            [outcome] = actions.issue(tx, host, shift_id=place.shift_id, volunteer_ids=[place.volunteer_id])
            assert isinstance(outcome, Kit)
            return outcome.id

        first, second = at_once(self.run(database, issued), self.run(database, issued))

        assert first == second
        with database.transaction() as tx:
            assert [type(fact) for fact in told(tx, programme)] == [KitIssued]

    def test_who_withdraws_first_is_issued_none(self, database: Database, place: SignUp, programme: UUID) -> None:
        """The partner waits for the place, and finds it gone."""
        host = Host(programme, MEMBER, None, BEFORE)
        person = Own(programme, place.id, place.volunteer_id, BEFORE)

        def issued(tx: Session) -> str:
            [outcome] = actions.issue(tx, host, shift_id=place.shift_id, volunteer_ids=[place.volunteer_id])
            return type(outcome).__name__

        with held(database, lambda tx: places.withdraw(tx, person, because="出差")) as start:
            waiting = start(self.run(database, issued))
        assert waiting.result() == NotSignedUp.__name__

    def test_who_is_being_erased_is_issued_none(self, database: Database, place: SignUp, programme: UUID) -> None:
        """The partner waits for the person, and finds nobody."""
        host = Host(programme, MEMBER, None, BEFORE)

        def erase(tx: Session) -> None:
            person = lock_volunteer(tx, programme_id=programme, volunteer_id=place.volunteer_id)
            pseudonymise(tx, person, now=BEFORE)
            tx.flush()

        def issued(tx: Session) -> str:
            [outcome] = actions.issue(tx, host, shift_id=place.shift_id, volunteer_ids=[place.volunteer_id])
            return type(outcome).__name__

        with held(database, erase) as start:
            waiting = start(self.run(database, issued))
        assert waiting.result() == NotSignedUp.__name__

    def test_the_database_holds_one_kit_for_a_place(self, tx: Session) -> None:
        """Whatever an action does; one that was cancelled does not count."""
        place = make_sign_up(tx, make_craft_shift(tx))
        make_kit(tx, place=place, state=State.CANCELLED)
        make_kit(tx, place=place)
        with pytest.raises(Exception, match="kit_sign_up_id_key"), tx.begin_nested():
            make_kit(tx, place=place)


def test_a_time_that_is_named_is_one(tx: Session) -> None:
    """Lists sort and filter by when kits are due: day by day."""
    kit = make_kit(tx, state=State.OVERDUE)
    rows = queries.kits_of(Scope(PROGRAMME, partner_id=kit.partner_id))
    assert tx.scalars(rows.where(Kit.due_at >= DUE, Kit.due_at < at(23) + timedelta(days=20))).all() == [kit]
