"""What can be done with kits: issued and sent by the partner, confirmed by the person, or cancelled.

Whoever issues or sends holds the people's locks, then the shift's, then the kits'. Whoever says what became of one kit
holds that alone; timers pass over what somebody else holds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from services.activities.checklists.rules import Kit as Agreed
from services.activities.kits import queries, rules
from services.activities.kits.queries import Ground
from services.activities.kits.rules import Cancelled, Command, State
from services.activities.kits.tables import Kit, KitAddress, KitTerms
from services.activities.listings.queries import ShiftOfListing, get_shift, list_timezones, lock_shifts_by_id
from services.activities.sign_ups.rules import PLACED
from services.activities.volunteers.queries import lock_volunteer, lock_volunteers
from shared import bus
from shared.audit import Change, note
from shared.audit.trail import HIDDEN
from shared.auth.scopes import Scope
from shared.errors import NotFound, Refusal
from shared.events import activities_kits as events
from shared.ids import new_id
from shared.zones import zone


@dataclass(frozen=True, slots=True)
class Host:
    """A partner's member who issues or sends kits for a shift of theirs, and when."""

    programme_id: UUID
    person_id: UUID
    partner_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """A kit that was handed to a carrier."""

    kit_id: UUID
    carrier: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class Handling:
    """Who says what became of one kit, within which scope, for which side, and when."""

    scope: Scope
    kit_id: UUID
    by: UUID
    side: events.KitSide
    at: datetime


@dataclass(frozen=True, slots=True)
class Address:
    """Where a kit is sent to. Personal data."""

    recipient: str
    phone: str
    postal_address: str


Outcome = Kit | Refusal


def keep_terms(tx: Session, *, programme_id: UUID, terms: Mapping[UUID, Agreed]) -> None:
    """Keep what was agreed of activities that are being published, by listing; what has no ceiling is no kit."""
    tx.add_all(
        KitTerms(
            listing_id=listing_id, programme_id=programme_id, contents=agreed.contents,
            ceiling_fen=agreed.ceiling_fen, due_days=agreed.due_days or rules.DUE_DAYS,
        )
        for listing_id, agreed in terms.items() if agreed.ceiling_fen is not None
    )  # fmt: skip
    tx.flush()


def issue(tx: Session, host: Host, *, shift_id: UUID, volunteer_ids: Sequence[UUID]) -> list[Outcome]:
    """Issue kits for people's places; for each, in order, the kit or why there is none. Again changes nothing.

    Raises NotFound, NoKitTerms, ShiftUndecided; for a person there may be NotSignedUp, KitsBlocked, OwnKit.
    """
    people = list(dict.fromkeys(volunteer_ids))
    lock_volunteers(tx, people)
    on = _lock_shift(tx, host, shift_id)
    terms = queries.find_terms(tx, on.listing.id)
    rules.require_happening(on.shift.state)
    grounds = queries.find_grounds(tx, shift_id=shift_id, volunteer_ids=people)
    blocking = queries.find_blocking(tx, volunteer_ids=people, now=host.at)
    due_at = rules.due_at(on.shift.ends_at, zone(on.listing.timezone), days=terms.due_days)
    made = {each: _issued(host, on, each, grounds.get(each), blocking.get(each), due_at) for each in people}
    new = [each for each in made.values() if isinstance(each, Kit) and each not in tx]
    tx.add_all(new)
    tx.flush()
    bus.emit_all(tx, [events.KitIssued(**fact_of(kit), at=host.at) for kit in new])
    return [made[each] for each in volunteer_ids]


def give_address(tx: Session, scope: Scope, kit_id: UUID, address: Address, *, now: datetime) -> Kit:
    """Say where one's kit is sent to; a second one takes the first one's place. `scope` is of one person.

    Raises NotFound, KitStateDiffers once it was sent, AddressConsentNeeded.
    """
    kit = queries.get_kit(tx, scope, kit_id)
    lock_volunteer(tx, programme_id=scope.programme_id, volunteer_id=kit.volunteer_id)
    kit = queries.lock_kit(tx, scope, kit_id)
    rules.require_state(kit.state, State.ISSUED, command="give_address")
    rules.require_consent(holds=queries.has_consented(tx, kit.volunteer_id))
    row = tx.get(KitAddress, kit_id) or KitAddress(kit_id=kit_id)
    row.recipient, row.phone, row.postal_address = address.recipient, address.phone, address.postal_address
    row.given_at = now
    tx.add(row)
    return kit


def ship(tx: Session, host: Host, *, shift_id: UUID, parcels: Sequence[Parcel]) -> list[Outcome]:
    """Note that kits were handed to a carrier; for each, in order, the kit or why not. Again changes nothing.

    Raises NotFound, ShiftUndecided; for a kit there may be NotFound, KitStateDiffers, NotSignedUp, NoKitAddress.
    """
    kit_ids = {parcel.kit_id for parcel in parcels}
    get_shift(tx, programme_id=host.programme_id, shift_id=shift_id, partner_id=host.partner_id)
    known = queries.find_of_shift(tx, shift_id=shift_id, kit_ids=kit_ids)
    lock_volunteers(tx, {kit.volunteer_id for kit in known})
    on = _lock_shift(tx, host, shift_id)
    kits = {kit.id: kit for kit in queries.lock_kits(tx, {kit.id for kit in known})}
    rules.require_happening(on.shift.state)
    places = queries.find_places(tx, {kit.sign_up_id for kit in kits.values()})
    addressed = queries.find_addresses(tx, kits).keys()
    sent: list[Kit] = []
    outcomes = [_shipped(host, parcel, kits.get(parcel.kit_id), places, addressed, sent) for parcel in parcels]
    bus.emit_all(tx, [events.KitShipped(**fact_of(kit), at=host.at) for kit in sent])
    return outcomes


def receive(tx: Session, handling: Handling, *, evidence: str | None) -> Kit:
    """Confirm that a kit has arrived; the partner says on what evidence. Again changes nothing.

    Raises NotFound, KitStateDiffers.
    """
    kit = queries.lock_kit(tx, handling.scope, handling.kit_id)
    if kit.state == State.RECEIVED:
        return kit
    kit.state = rules.next_state(kit.state, Command.RECEIVE)
    kit.received_by, kit.received_at, kit.receipt_note = handling.by, handling.at, evidence
    drop_addresses(tx, [kit])
    bus.emit(tx, events.KitReceived(**fact_of(kit), at=handling.at, received_by=handling.side))
    return kit


def cancel(tx: Session, handling: Handling) -> Kit:
    """Take back a kit that was not sent; again changes nothing. Raises NotFound, KitStateDiffers."""
    kit = queries.lock_kit(tx, handling.scope, handling.kit_id)
    if kit.state != State.CANCELLED:
        _cancel(tx, [kit], Cancelled.BY_HOST, now=handling.at)
    return kit


def release(tx: Session, sign_up_ids: Collection[UUID], *, now: datetime) -> int:
    """Cancel kits that were not sent for places that are gone, as these stand now; return how many."""
    found = queries.find_unsent(tx, sign_up_ids)
    lock_shifts_by_id(tx, {kit.shift_id for kit in found})
    kits = queries.lock_kits(tx, [kit.id for kit in found])
    places = queries.find_places(tx, sign_up_ids)
    gone = [kit for kit in kits if kit.state == State.ISSUED and places[kit.sign_up_id] not in PLACED]
    return _cancel(tx, gone, Cancelled.PLACE_GONE, now=now)


def follow(tx: Session, shift_ids: Collection[UUID]) -> None:
    """Let kits be due back as the times of their shifts are now; what is overdue already stays so."""
    shifts = {shift.id: shift for shift in lock_shifts_by_id(tx, shift_ids)}
    zones = list_timezones(tx, {shift.listing_id for shift in shifts.values()})
    for kit in queries.lock_kits(tx, [kit.id for kit in queries.find_under_way(tx, shift_ids)]):
        if kit.state in rules.SENT | {State.ISSUED}:
            days = queries.find_terms(tx, kit.listing_id).due_days
            kit.due_at = rules.due_at(shifts[kit.shift_id].ends_at, zone(zones[kit.listing_id]), days=days)


def cancel_unsent(tx: Session, *, now: datetime, limit: int) -> int:
    """Cancel kits that were not sent and would be due back by now, at most `limit`; return how many."""
    unsent = queries.lock_late(tx, State.ISSUED, now=now, limit=limit)
    return _cancel(tx, unsent, Cancelled.NOT_SHIPPED, now=now)


def forget_addresses(tx: Session, *, limit: int) -> int:
    """Delete addresses that nobody needs, or may use, any more, at most `limit`; return how many."""
    tx.flush()
    removed = queries.remove_addresses(tx, limit=limit)
    note(tx, "kit_address", (), removed=len(removed))
    return len(removed)


def forget(tx: Session, *, volunteer_id: UUID) -> None:
    """Delete where a person's kits go, and empty what was written about them; that there were kits stays."""
    of_person = select(Kit.id).where(Kit.volunteer_id == volunteer_id)
    removed = tx.scalars(delete(KitAddress).where(KitAddress.kit_id.in_(of_person)).returning(KitAddress.kit_id)).all()
    note(tx, "kit_address", (), removed=len(removed))
    words = ("carrier", "tracking_number", "receipt_note", "return_note", "lost_because", "cleared_because")
    rows = update(Kit).where(Kit.volunteer_id == volunteer_id).values(dict.fromkeys(words)).returning(Kit.id)
    note(tx, "kit", (), forgotten=len(tx.scalars(rows).all()))


def hand_over(tx: Session, *, kept_id: UUID, merged_id: UUID) -> None:
    """Let all kits of one record be those of another of the same person, who has them in hand."""
    rows = update(Kit).where(Kit.volunteer_id == merged_id).values(volunteer_id=kept_id).returning(Kit.id)
    moved = tx.scalars(rows).all()
    values = {"volunteer_id": merged_id}, {"volunteer_id": kept_id}
    note(tx, "kit", (Change(each, *values) for each in moved), handed_over=len(moved))


def drop_addresses(tx: Session, kits: Iterable[Kit]) -> None:
    """Delete where kits went that are not on their way any more."""
    tx.flush()
    ids = [kit.id for kit in kits]
    rows = delete(KitAddress).where(KitAddress.kit_id.in_(ids)).returning(KitAddress.kit_id)
    removed = tx.scalars(rows).all() if ids else []
    hidden = {"recipient": HIDDEN, "phone": HIDDEN, "postal_address": HIDDEN}
    note(tx, "kit_address", (Change(each, hidden, None) for each in removed), removed=len(removed))


def fact_of(kit: Kit) -> dict[str, Any]:
    """Say what every event about a kit says."""
    names = ("programme_id", "sign_up_id", "shift_id", "listing_id", "partner_id", "volunteer_id", "due_at")
    return {name: getattr(kit, name) for name in names} | {"kit_id": kit.id}


def _lock_shift(tx: Session, host: Host, shift_id: UUID) -> ShiftOfListing:
    on = get_shift(tx, programme_id=host.programme_id, shift_id=shift_id, partner_id=host.partner_id)
    lock_shifts_by_id(tx, [shift_id])
    return on


def _issued(
    host: Host, on: ShiftOfListing, volunteer_id: UUID, ground: Ground | None, blocking: UUID | None, due_at: datetime
) -> Outcome:
    """Return the kit that there is or is to be, or why there is none; a refusal is its own, and nobody else's."""
    try:
        if ground is not None and ground.kit is not None:
            return ground.kit
        rules.require_confirmed(None if ground is None else ground.place.state)
        rules.require_another(host.person_id, volunteer_id=volunteer_id)
        rules.require_unblocked(blocking)
    except Refusal as refusal:
        return refusal
    assert ground is not None  # noqa: S101  It has a confirmed place.
    return Kit(
        id=new_id(), programme_id=host.programme_id, sign_up_id=ground.place.id, shift_id=on.shift.id,
        listing_id=on.listing.id, partner_id=on.shift.partner_id, volunteer_id=volunteer_id, state=State.ISSUED,
        due_at=due_at, issued_by=host.person_id, issued_at=host.at,
    )  # fmt: skip


def _shipped(
    host: Host, parcel: Parcel, kit: Kit | None, places: Mapping[UUID, str], addressed: Collection[UUID],
    sent: list[Kit],
) -> Outcome:  # fmt: skip
    """Send one kit, unless something stands against it."""
    try:
        if kit is None:
            raise NotFound(kit_id=parcel.kit_id)
        if (kit.state, kit.carrier, kit.tracking_number) == (State.SHIPPED, parcel.carrier, parcel.tracking_number):
            return kit
        following = rules.next_state(kit.state, Command.SHIP)
        rules.require_confirmed(places[kit.sign_up_id])
        rules.require_address(is_there=kit.id in addressed)
    except Refusal as refusal:
        return refusal
    kit.state, kit.shipped_by, kit.shipped_at = following, host.person_id, host.at
    kit.carrier, kit.tracking_number = parcel.carrier, parcel.tracking_number
    sent.append(kit)
    return kit


def _cancel(tx: Session, kits: Sequence[Kit], because: Cancelled, *, now: datetime) -> int:
    for kit in kits:
        kit.state = rules.next_state(kit.state, Command.CANCEL)
        kit.cancelled_at, kit.cancelled_because = now, because
    drop_addresses(tx, kits)
    told = events.KitCancellation(because.value)
    bus.emit_all(tx, [events.KitCancelled(**fact_of(kit), at=now, because=told) for kit in kits])
    return len(kits)
