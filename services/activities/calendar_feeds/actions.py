"""What can be done with calendar feeds: ask for one, put it in the place of another, revoke it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.calendar_feeds import queries, rules
from services.activities.calendar_feeds.rules import Kind
from services.activities.calendar_feeds.tables import CalendarFeed
from services.activities.partners.queries import find_partner
from services.activities.partners.rules import UnknownPartner
from services.activities.volunteers.queries import lock_volunteer
from shared.audit import Change, note
from shared.auth.scopes import Scope
from shared.ids import new_id

_HAND_OVER = text("""
    UPDATE calendar_feed SET person_id = :kept_id, volunteer_id = CASE WHEN kind = 'volunteer' THEN :kept_id END
    WHERE person_id = :merged_id RETURNING id
""")
_FORGET = text("DELETE FROM calendar_feed WHERE person_id = :volunteer_id RETURNING id")


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for whose shifts, in which language; the address that is to be `replaced` is theirs, and of the same."""

    scope: Scope
    person_id: UUID
    language: str
    replaced: UUID | None
    at: datetime

    @property
    def kind(self) -> Kind:
        """Whose shifts they are."""
        if self.scope.volunteer_id is not None:
            return Kind.VOLUNTEER
        return Kind.PROGRAMME if self.scope.partner_id is None else Kind.PARTNER


def request(tx: Session, asked: Request) -> tuple[CalendarFeed, str]:
    """Make a feed, and return it with its secret, which is told this once; what it replaces is revoked.

    Raises NotFound for somebody who is not registered and for another's feed, UnknownPartner, TooManyFeeds.
    """
    scope = asked.scope
    if scope.volunteer_id is not None:
        lock_volunteer(tx, programme_id=scope.programme_id, volunteer_id=scope.volunteer_id)
    if scope.partner_id is not None:
        _require_partner(tx, scope.programme_id, scope.partner_id)
    queries.lock_person(tx, asked.person_id)
    if asked.replaced is not None:
        same = CalendarFeed.person_id == asked.person_id, CalendarFeed.kind == asked.kind
        _end(queries.lock_feed(tx, queries.feeds_of(scope).where(*same), asked.replaced), at=asked.at)
        tx.flush()
    rules.require_room(queries.count_feeds(tx, person_id=asked.person_id, now=asked.at))
    return _added(tx, asked)


def revoke(tx: Session, scope: Scope, feed_id: UUID, *, now: datetime) -> CalendarFeed:
    """End a feed for good: its address leads nowhere from now on. Again changes nothing. Raises NotFound."""
    feed = queries.lock_feed(tx, queries.feeds_of(scope), feed_id)
    if feed.revoked_at is None:
        _end(feed, at=now)
    tx.flush()
    return feed


def hand_over(tx: Session, *, kept_id: UUID, merged_id: UUID) -> None:
    """Let the feeds of a record be those of another of the same person, whose locks the caller holds.

    Their addresses stay: nobody has to subscribe again.
    """
    people = {"kept_id": kept_id, "merged_id": merged_id}
    feeds = tx.scalars(_HAND_OVER, people).all()
    values = {"person_id": merged_id}, {"person_id": kept_id}
    note(tx, "calendar_feed", (Change(each, *values) for each in feeds), handed_over=len(feeds))


def forget(tx: Session, *, volunteer_id: UUID) -> None:
    """Remove all feeds of a person who is erased, in whatever role they asked; the person's lock is held."""
    gone = tx.scalars(_FORGET, {"volunteer_id": volunteer_id}).all()
    note(tx, "calendar_feed", (Change(each, {}, None) for each in gone), removed=len(gone))


def _require_partner(tx: Session, programme_id: UUID, partner_id: UUID) -> None:
    if find_partner(tx, programme_id=programme_id, partner_id=partner_id) is None:
        raise UnknownPartner(partner_id=partner_id)


def _added(tx: Session, asked: Request) -> tuple[CalendarFeed, str]:
    secret = rules.new_secret()
    feed = CalendarFeed(
        id=new_id(), programme_id=asked.scope.programme_id, person_id=asked.person_id, kind=asked.kind,
        partner_id=asked.scope.partner_id, volunteer_id=asked.scope.volunteer_id, language=asked.language,
        secret_hash=rules.hash_of(secret), requested_at=asked.at, expires_at=rules.expiry(asked.kind, now=asked.at),
    )  # fmt: skip
    tx.add(feed)
    tx.flush()
    return feed, secret


def _end(feed: CalendarFeed, *, at: datetime) -> None:
    if feed.revoked_at is None:
        feed.secret_hash, feed.revoked_at = None, at
