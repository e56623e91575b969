"""Factories of kits: the smallest valid row in a state, with what a test is about put in."""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.consents import actions as consents
from services.activities.consents.rules import TERMS, Purpose
from services.activities.kit_returns.tables import KitCost
from services.activities.kits.rules import State
from services.activities.kits.tables import Kit, KitAddress, KitTerms
from services.activities.listings.tables import Listing, Shift
from services.activities.sign_ups.tables import SignUp
from shared.ids import new_id
from tests.factories.activities import NINE, NOON, PROGRAMME, make_listing, make_shift, make_sign_up

MEMBER = UUID("01800000-0000-7000-8000-00000000000d")
DUE = datetime(2022, 6, 15, 16, tzinfo=UTC)  # The end, in Shanghai, of ten working days after the first of June.
LOSE = datetime(2022, 7, 14, 16, tzinfo=UTC)  # Of twenty more, after it became overdue on the sixteenth.
R = TypeVar("R")

ADDRESS = {"recipient": "合成甲", "phone": "13800000000", "postal_address": "厦门市思明区环岛路 1 号"}


def make_kit_terms(tx: Session, listing: Listing | None = None, **overrides: Any) -> KitTerms:
    """Make what was agreed: wool, lost for thirty yuan at most, back in ten working days."""
    listing = listing or make_listing(tx, programme_id=overrides.get("programme_id", PROGRAMME))
    values = {"programme_id": listing.programme_id, "contents": "毛线", "ceiling_fen": 3_000, "due_days": 10}
    return _added(tx, KitTerms(**{"listing_id": listing.id} | values | overrides))


def make_craft_shift(tx: Session, **overrides: Any) -> Shift:
    """Make a shift that is going to happen, of an activity with kits."""
    shift = make_shift(tx, **{"state": "go"} | overrides)
    if tx.get(KitTerms, shift.listing_id) is None:
        make_kit_terms(tx, tx.get_one(Listing, shift.listing_id))
    return shift


def make_kit(tx: Session, *, shift: Shift | None = None, place: SignUp | None = None, **overrides: Any) -> Kit:
    """Make a kit in a state, of a place of its own unless one is given; nobody has given an address."""
    if place is not None:
        shift = tx.get_one(Shift, place.shift_id)
    elif shift is None:
        shift = make_craft_shift(tx, **{name: overrides[name] for name in ("programme_id",) if name in overrides})
    if tx.get(KitTerms, shift.listing_id) is None:
        make_kit_terms(tx, tx.get_one(Listing, shift.listing_id))
    place = place or make_sign_up(tx, shift)
    values = {
        "programme_id": shift.programme_id, "sign_up_id": place.id, "shift_id": shift.id,
        "listing_id": shift.listing_id, "partner_id": shift.partner_id, "volunteer_id": place.volunteer_id,
        "due_at": DUE, "issued_by": MEMBER, "issued_at": NINE, "state": State.ISSUED,
    } | _of_state(overrides.get("state", State.ISSUED))  # fmt: skip
    return _added(tx, Kit(id=new_id(), **values | overrides))


def make_address(tx: Session, kit: Kit, *, consents_to_it: bool = True, **overrides: Any) -> KitAddress:
    """Make where a kit goes, with the person's consent."""
    if consents_to_it:
        consent(tx, kit)
    return _added(tx, KitAddress(kit_id=kit.id, given_at=NINE, **ADDRESS | overrides))


def consent(tx: Session, kit: Kit) -> None:
    """Let a kit's person consent to the use of their address."""
    version = TERMS[Purpose.KIT_ADDRESS].current.version
    consents.give(tx, _record(kit), version=version)


def withdraw(tx: Session, kit: Kit) -> None:
    """Let them withdraw that."""
    consents.withdraw(tx, _record(kit))


def make_kit_cost(tx: Session, kit: Kit | None = None, **overrides: Any) -> KitCost:
    """Make what the partner claims for a lost kit: twenty yuan of thirty."""
    kit = kit or make_kit(tx, state=State.LOST, programme_id=overrides.get("programme_id", PROGRAMME))
    values = {
        "programme_id": kit.programme_id, "kit_id": kit.id, "partner_id": kit.partner_id, "state": "claimed",
        "ceiling_fen": 3_000, "amount_fen": 2_000, "reason": "没有寄回", "evidence_note": "发票",
        "claimed_by": MEMBER, "claimed_at": LOSE,
    }  # fmt: skip
    return _added(tx, KitCost(id=new_id(), **values | overrides))


def _of_state(state: str) -> dict[str, Any]:
    sent = {"carrier": "顺丰", "tracking_number": "SF1", "shipped_by": MEMBER, "shipped_at": NOON}
    overdue = sent | {"overdue_at": DUE, "lose_at": LOSE}
    return {
        State.ISSUED: {},
        State.SHIPPED: sent,
        State.RECEIVED: sent | {"received_at": NOON},
        State.OVERDUE: overdue,
        State.LOST: overdue | {"lost_at": LOSE},
        State.RETURNED: sent | {"pieces": 2, "returned_at": NOON},
        State.CANCELLED: {"cancelled_because": "by_host", "cancelled_at": NOON},
    }[State(state)]


def _record(kit: Kit) -> consents.Record:
    return consents.Record(
        kit.programme_id, kit.volunteer_id, Purpose.KIT_ADDRESS, "zh", kit.volunteer_id, None, NINE
    )  # fmt: skip


def _added(tx: Session, row: R) -> R:
    tx.add(row)
    tx.flush()
    return row
