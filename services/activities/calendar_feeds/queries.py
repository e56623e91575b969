"""Reads and locks of calendar feeds, and of what they show."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from services.activities.calendar_feeds.rules import GONE, Window
from services.activities.calendar_feeds.tables import CalendarFeed
from services.activities.listings.tables import Listing, Shift
from services.activities.partners.tables import Partner, PartnerStanding
from services.activities.sign_ups.tables import SignUp
from shared.auth.scopes import Scope
from shared.database.keyset import KeysetList, Rows
from shared.errors import NotFound

FEEDS = KeysetList(key=(CalendarFeed.id,), default_sort="-id")
_EXITED = exists().where(
    PartnerStanding.programme_id == CalendarFeed.programme_id,
    PartnerStanding.partner_id == CalendarFeed.partner_id,
    PartnerStanding.standing == "exited",
)
_OF_SHIFT = (
    Shift.id, Shift.starts_at, Shift.ends_at, Shift.state, Shift.capacity, Shift.taken, Shift.minimum,
    Listing.title, Listing.timezone, Listing.city, Listing.place, Listing.description, Partner.name,
)  # fmt: skip


class Occasion(NamedTuple):
    """A shift as a calendar shows it; `revision` and `changed_at` rise with every change that it should hear of."""

    shift_id: UUID
    starts_at: datetime
    ends_at: datetime
    state: str
    capacity: int
    taken: int
    minimum: int
    title: str
    timezone: str
    city: str | None
    place: str | None
    description: str | None
    host: str
    revision: int
    changed_at: datetime


class Place(NamedTuple):
    """How a person stands with a shift."""

    sign_up_id: UUID
    state: str
    offer_expires_at: datetime | None
    occasion: Occasion


def feeds_of(scope: Scope) -> Select[CalendarFeed]:
    """Say which feeds a caller may see and revoke; a volunteer those that they asked for, in whatever role."""
    rows = select(CalendarFeed).where(CalendarFeed.programme_id == scope.programme_id)
    if scope.partner_id is not None:
        rows = rows.where(CalendarFeed.partner_id == scope.partner_id)
    if scope.volunteer_id is not None:
        rows = rows.where(CalendarFeed.person_id == scope.volunteer_id)
    return rows


def lock_feed(tx: Session, rows: Select[CalendarFeed], feed_id: UUID) -> CalendarFeed:
    """Lock one of these feeds. Raises NotFound."""
    rows = rows.where(CalendarFeed.id == feed_id).with_for_update().execution_options(populate_existing=True)
    feed = tx.scalars(rows).first()
    if feed is None:
        raise NotFound(calendar_feed_id=feed_id)
    return feed


def lock_person(tx: Session, person_id: UUID) -> None:
    """Let one request of a person at a time count their feeds."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"calendar feeds of {person_id}", 0))))


def count_feeds(tx: Session, *, person_id: UUID, now: datetime) -> int:
    """Count the feeds of a person that can be read."""
    rows = select(func.count()).select_from(CalendarFeed).where(CalendarFeed.person_id == person_id, _holds(now))
    return tx.scalar(rows) or 0


def find_by_hash(tx: Session, secret_hash: bytes, *, now: datetime) -> CalendarFeed | None:
    """Return the feed whose address has this secret, if it can be read now: not that of a partner who has left."""
    rows = select(CalendarFeed).where(CalendarFeed.secret_hash == secret_hash, _holds(now), ~_EXITED)
    return tx.scalars(rows).first()


def list_feeds_of(tx: Session, *, volunteer_id: UUID, limit: int) -> Sequence[CalendarFeed]:
    """Return the feeds that a person asked for, in whatever role, oldest first."""
    rows = select(CalendarFeed).where(CalendarFeed.person_id == volunteer_id).order_by(CalendarFeed.id)
    return tx.scalars(rows.limit(limit)).all()


def list_places(tx: Session, *, volunteer_id: UUID, window: Window) -> list[Place]:
    """Return how a person stands with shifts, soonest first; what they gave back is shown as long as calendars need."""
    changed_at = func.greatest(Listing.published_at, Shift.revised_at, SignUp.signed_up_at, SignUp.moved_at)
    columns = (SignUp.id, SignUp.state, SignUp.offer_expires_at, *_OF_SHIFT, Shift.revision + SignUp.moves, changed_at)
    rows = _occasions(select(*columns).join(SignUp, SignUp.shift_id == Shift.id), window)
    stands = SignUp.state.not_in(sorted(GONE))
    rows = rows.where(SignUp.volunteer_id == volunteer_id, or_(stands, SignUp.ended_at > window.since))
    places = [Place(row[0], row[1], row[2], Occasion(*row[3:])) for row in tx.execute(rows)]
    return sorted(places, key=lambda each: (each.occasion.starts_at, each.sign_up_id))


def list_shifts(tx: Session, scope: Scope, *, window: Window) -> list[Occasion]:
    """Return shifts of a partner or of a whole programme, soonest first."""
    changed_at = func.greatest(Listing.published_at, Shift.revised_at)
    rows = _occasions(select(*_OF_SHIFT, Shift.revision, changed_at), window)
    rows = rows.where(Shift.programme_id == scope.programme_id)
    if scope.partner_id is not None:
        rows = rows.where(Shift.partner_id == scope.partner_id)
    found = [Occasion(*row) for row in tx.execute(rows)]
    return sorted(found, key=lambda each: (each.starts_at, each.shift_id))


def _occasions(rows: Rows, window: Window) -> Rows:
    """Keep of shifts those within a window, of too many those that are to come, and those nearest to now."""
    rows = rows.join(Listing, Listing.id == Shift.listing_id).join(Partner, Partner.id == Shift.partner_id)
    rows = rows.where(Shift.ends_at > window.since, Shift.starts_at < window.until)
    is_over, distance = Shift.ends_at <= window.now, func.abs(func.extract("epoch", Shift.starts_at - window.now))
    return rows.order_by(is_over, distance, Shift.id).limit(window.most)


def _holds(now: datetime) -> ColumnElement[bool]:
    is_open = or_(CalendarFeed.expires_at.is_(None), CalendarFeed.expires_at > now)
    return and_(CalendarFeed.revoked_at.is_(None), is_open)
