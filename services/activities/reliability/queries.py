"""Reads and locks of what became of people's places, and of appeals against it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Listing, Shift
from services.activities.reliability.rules import OLDEST_DAYS, Fact, Happened
from services.activities.reliability.tables import Appeal
from services.activities.sign_ups.tables import SignUp
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound

APPEALS = KeysetList(
    key=(Appeal.id,),
    sorts={"appealed_at": Sort(Appeal.appealed_at)},
    filters={
        "sign_up_id": equal(Appeal.sign_up_id, "About this place."),
        "appealed_from": since(Appeal.appealed_at, "Made at this instant or later."),
        "appealed_until": until(Appeal.appealed_at, "Made before this instant."),
    },
    default_sort="-id",
)


class Place(NamedTuple):
    """What became of somebody's place, with what it was on, and what came of an appeal."""

    volunteer_id: UUID
    sign_up_id: UUID
    shift_id: UUID
    title: str
    state: str
    ends_at: datetime
    appealed_at: datetime | None
    is_excused: bool | None

    @property
    def happened(self) -> Happened:
        """The fact that it is to the rules."""
        return Happened(self.sign_up_id, Fact(self.state), self.ends_at, is_excused=bool(self.is_excused))


def list_places(tx: Session, volunteer_ids: Collection[UUID], *, now: datetime) -> list[Place]:
    """Return what became of these people's places that still counts, the newest first; one statement for all."""
    rows = (
        select(
            SignUp.volunteer_id, SignUp.id, SignUp.shift_id, Listing.title, SignUp.state, Shift.ends_at,
            Appeal.appealed_at, Appeal.is_excused,
        )
        .join(Shift, Shift.id == SignUp.shift_id)
        .join(Listing, Listing.id == Shift.listing_id)
        .outerjoin(Appeal, Appeal.sign_up_id == SignUp.id)
        .where(among(SignUp.volunteer_id, volunteer_ids), SignUp.state.in_(sorted(Fact)))
        .where(Shift.ends_at > now - timedelta(days=OLDEST_DAYS + 1))
        .order_by(Shift.ends_at.desc(), SignUp.id.desc())
    )  # fmt: skip
    return [Place._make(row) for row in tx.execute(rows)]


def get_own(tx: Session, *, programme_id: UUID, volunteer_id: UUID, sign_up_id: UUID) -> SignUp:
    """Return a person's own sign-up; whoever decides on it holds the person's lock. Raises NotFound."""
    rows = select(SignUp).where(SignUp.id == sign_up_id, SignUp.programme_id == programme_id)
    found = tx.scalars(rows.where(SignUp.volunteer_id == volunteer_id)).first()
    if found is None:
        raise NotFound(sign_up_id=sign_up_id)
    return found


def find_appeal(tx: Session, *, sign_up_id: UUID) -> Appeal | None:
    """Return the appeal about a place."""
    return tx.scalars(select(Appeal).where(Appeal.sign_up_id == sign_up_id)).first()


def appeals_of(programme_id: UUID) -> Select[Appeal]:
    """Say which appeals a caller of a programme may see."""
    return select(Appeal).where(Appeal.programme_id == programme_id)


def get_appeal(tx: Session, *, programme_id: UUID, appeal_id: UUID) -> Appeal:
    """Return an appeal. Raises NotFound."""
    return _found(tx, appeals_of(programme_id), appeal_id)


def lock_appeal(tx: Session, *, programme_id: UUID, appeal_id: UUID) -> Appeal:
    """Lock an appeal. Raises NotFound."""
    rows = appeals_of(programme_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    return _found(tx, rows, appeal_id)


def list_appeals_of(tx: Session, *, volunteer_id: UUID, limit: int) -> Sequence[Appeal]:
    """Return a person's appeals, oldest first."""
    rows = select(Appeal).join(SignUp, SignUp.id == Appeal.sign_up_id).where(SignUp.volunteer_id == volunteer_id)
    return tx.scalars(rows.order_by(Appeal.id).limit(limit)).all()


def _found(tx: Session, rows: Select[Appeal], appeal_id: UUID) -> Appeal:
    appeal = tx.scalars(rows.where(Appeal.id == appeal_id)).first()
    if appeal is None:
        raise NotFound(appeal_id=appeal_id)
    return appeal
