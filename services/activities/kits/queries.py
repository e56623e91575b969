"""Reads and locks of kits, with whose they are in their SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, text
from sqlalchemy.orm import Session

from services.activities.consents.rules import TERMS, Decision, Purpose
from services.activities.consents.tables import Consent
from services.activities.kits.rules import ADDRESSED, BLOCKING, SENT, NoKitTerms, State
from services.activities.kits.tables import Kit, KitAddress, KitTerms
from services.activities.listings.tables import Listing
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.database.scoped import within
from shared.errors import NotFound

MOST_ADDRESSES = 200
KITS = KeysetList(
    key=(Kit.id,),
    sorts={"due_at": Sort(Kit.due_at)},
    filters={
        "state": equal(Kit.state, "In this state.", takes=State),
        "shift_id": equal(Kit.shift_id, "For this shift."),
        "partner_id": equal(Kit.partner_id, "Of this partner."),
        "volunteer_id": equal(Kit.volunteer_id, "Of this volunteer."),
        "due_from": since(Kit.due_at, "Due back at this instant or later."),
        "due_before": until(Kit.due_at, "Due back before this instant."),
    },
    default_sort="-id",
)
# Without consent that holds, an address is nobody's to read, and goes; so with its kit where that does not need it.
_FORGET = text("""
    DELETE FROM kit_address WHERE kit_id IN (
        SELECT a.kit_id FROM kit_address a JOIN kit k ON k.id = a.kit_id
        WHERE k.state NOT IN ('issued', 'shipped', 'overdue') OR NOT coalesce((
            SELECT c.decision = 'given' AND c.text_version >= :holds_since FROM consent c
            WHERE c.volunteer_id = k.volunteer_id AND c.purpose = :purpose ORDER BY c.number DESC LIMIT 1), false)
        ORDER BY a.kit_id LIMIT :limit FOR UPDATE OF a SKIP LOCKED)
    RETURNING kit_id
""")


def kits_of(scope: Scope) -> Select[Kit]:
    """Say which kits a caller may see."""
    return select(Kit).where(within(scope, Kit.programme_id, Kit.partner_id, Kit.volunteer_id))


def get_kit(tx: Session, scope: Scope, kit_id: UUID) -> Kit:
    """Return one kit. Raises NotFound, also for one that the caller may not see."""
    return _one(tx, kits_of(scope).where(Kit.id == kit_id), kit_id)


def lock_kit(tx: Session, scope: Scope, kit_id: UUID) -> Kit:
    """Lock one kit; whoever locks people or shifts too has done so before. Raises NotFound."""
    rows = kits_of(scope).where(Kit.id == kit_id).with_for_update(key_share=True)
    return _one(tx, rows.execution_options(populate_existing=True), kit_id)


def _one(tx: Session, rows: Select[Kit], kit_id: UUID) -> Kit:
    kit = tx.scalars(rows).first()
    if kit is None:
        raise NotFound(kit_id=kit_id)
    return kit


def lock_kits(tx: Session, kit_ids: Collection[UUID]) -> list[Kit]:
    """Lock kits in order of id, and return them as they are now."""
    rows = select(Kit).where(among(Kit.id, kit_ids)).order_by(Kit.id).with_for_update(key_share=True)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def find_of_shift(tx: Session, *, shift_id: UUID, kit_ids: Collection[UUID]) -> list[Kit]:
    """Return those of the kits that are of a shift."""
    return list(tx.scalars(select(Kit).where(Kit.shift_id == shift_id, among(Kit.id, kit_ids))))


def find_terms(tx: Session, listing_id: UUID) -> KitTerms:
    """Return what was agreed of an activity's kits. Raises NoKitTerms."""
    terms = tx.get(KitTerms, listing_id)
    if terms is None:
        raise NoKitTerms(listing_id=listing_id)
    return terms


class Ground(NamedTuple):
    """What a kit is issued on: a person's place, and the kit that there is."""

    place: SignUp
    kit: Kit | None


def find_grounds(tx: Session, *, shift_id: UUID, volunteer_ids: Collection[UUID]) -> dict[UUID, Ground]:
    """Return how these people stand with a shift, by volunteer; whoever decides on it holds them.

    Nobody who was erased, and no record that was merged into another.
    """
    rows = select(SignUp, Kit).outerjoin(Kit, and_(Kit.sign_up_id == SignUp.id, Kit.state != State.CANCELLED))
    present = and_(Volunteer.id == SignUp.volunteer_id, Volunteer.merged_into.is_(None), Volunteer.erased_at.is_(None))
    rows = rows.join(Volunteer, present).where(SignUp.shift_id == shift_id, among(SignUp.volunteer_id, volunteer_ids))
    found = tx.execute(rows.execution_options(populate_existing=True))
    return {place.volunteer_id: Ground(place, kit) for place, kit in found}


def find_blocking(tx: Session, *, volunteer_ids: Collection[UUID], now: datetime) -> dict[UUID, UUID]:
    """Return a kit that keeps these people from others, by volunteer; also one that no timer has looked at yet."""
    is_late = and_(Kit.state.in_(sorted(SENT)), Kit.due_at <= now)
    rows = select(Kit.volunteer_id, Kit.id).where(among(Kit.volunteer_id, volunteer_ids))
    rows = rows.where(or_(and_(Kit.state.in_(sorted(BLOCKING)), Kit.cleared_at.is_(None)), is_late))
    return {row.volunteer_id: row.id for row in tx.execute(rows.order_by(Kit.id.desc()))}


def find_places(tx: Session, sign_up_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the states of sign-ups by id; they hold while their shifts are locked."""
    rows = select(SignUp.id, SignUp.state).where(among(SignUp.id, sign_up_ids))
    return {row.id: row.state for row in tx.execute(rows)}


def find_unsent(tx: Session, sign_up_ids: Collection[UUID]) -> list[Kit]:
    """Return the kits for these places that were not sent so far."""
    return list(tx.scalars(select(Kit).where(among(Kit.sign_up_id, sign_up_ids), Kit.state == State.ISSUED)))


def find_under_way(tx: Session, shift_ids: Collection[UUID]) -> list[Kit]:
    """Return the kits for these shifts that are to be sent, or are with people in time."""
    states = sorted(SENT | {State.ISSUED})
    return list(tx.scalars(select(Kit).where(among(Kit.shift_id, shift_ids), Kit.state.in_(states))))


def lock_late(tx: Session, *states: State, now: datetime, limit: int) -> Sequence[Kit]:
    """Lock kits in these states that are due back by now and that nobody else holds."""
    rows = select(Kit).where(Kit.state.in_(states), Kit.due_at <= now).order_by(Kit.due_at).limit(limit)
    return tx.scalars(rows.with_for_update(key_share=True, skip_locked=True)).all()


def lock_hopeless(tx: Session, *, now: datetime, limit: int) -> Sequence[Kit]:
    """Lock overdue kits that are given up by now and that nobody else holds."""
    rows = select(Kit).where(Kit.state == State.OVERDUE, Kit.lose_at <= now).order_by(Kit.lose_at).limit(limit)
    return tx.scalars(rows.with_for_update(key_share=True, skip_locked=True)).all()


def has_consented(tx: Session, volunteer_id: UUID) -> bool:
    """Say whether a person lets their address be used for kits now."""
    return bool(tx.scalar(select(_consents(volunteer_id))))


def find_addresses(tx: Session, kit_ids: Collection[UUID]) -> dict[UUID, KitAddress]:
    """Return where these kits go, by kit; without consent that holds there is no address."""
    rows = select(KitAddress).join(Kit, Kit.id == KitAddress.kit_id)
    rows = rows.where(among(KitAddress.kit_id, kit_ids), _consents(Kit.volunteer_id))
    return {address.kit_id: address for address in tx.scalars(rows.execution_options(populate_existing=True))}


def get_address(tx: Session, scope: Scope, kit_id: UUID) -> KitAddress:
    """Return where a kit goes; a partner reads it while it is to be sent, or is on its way. Raises NotFound."""
    kit = get_kit(tx, scope, kit_id)
    found = find_addresses(tx, [kit_id]).get(kit_id)
    if found is None or (scope.partner_id is not None and kit.state not in ADDRESSED):
        raise NotFound(kit_id=kit_id)
    return found


def list_addresses(tx: Session, *, shift_id: UUID) -> list[KitAddress]:
    """Return where the kits go that are to be sent for a shift, oldest first."""
    rows = select(KitAddress).join(Kit, Kit.id == KitAddress.kit_id)
    rows = rows.where(Kit.shift_id == shift_id, Kit.state == State.ISSUED, _consents(Kit.volunteer_id))
    return list(tx.scalars(rows.order_by(Kit.id).limit(MOST_ADDRESSES)))


def _consents(volunteer_id: Any) -> ColumnElement[bool]:  # noqa: ANN401  An id, or a column of whatever is selected from.
    """Say that the person's last decision lets their address be used (`consents.rules.holds`)."""
    terms = TERMS[Purpose.KIT_ADDRESS]
    holds = (Consent.decision == Decision.GIVEN) & (Consent.text_version >= terms.holds_since)
    rows = select(holds).where(Consent.volunteer_id == volunteer_id, Consent.purpose == Purpose.KIT_ADDRESS)
    return rows.order_by(Consent.number.desc()).limit(1).scalar_subquery().is_(True)


def remove_addresses(tx: Session, *, limit: int) -> Sequence[UUID]:
    """Delete addresses that nobody needs, or that nobody may use any more; return of which kits."""
    holds_since = TERMS[Purpose.KIT_ADDRESS].holds_since
    columns = {"holds_since": holds_since, "purpose": Purpose.KIT_ADDRESS, "limit": limit}
    return tx.scalars(_FORGET, columns).all()


def list_kits_of(tx: Session, *, volunteer_id: UUID, limit: int) -> Sequence[Any]:
    """Return a person's kits, each with its activity's title and where it goes, oldest first."""
    rows = select(Kit, Listing.title, KitAddress).join(Listing, Listing.id == Kit.listing_id)
    rows = rows.outerjoin(KitAddress, KitAddress.kit_id == Kit.id)
    return tx.execute(rows.where(Kit.volunteer_id == volunteer_id).order_by(Kit.id).limit(limit)).all()
