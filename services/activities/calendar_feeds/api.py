"""HTTP door of calendar feeds, and the calendars themselves, for programs that cannot sign in."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from services.activities.calendar_feeds import actions, queries, rules, schemas, tables
from services.activities.calendar_feeds.schemas import CALENDAR_FEEDS
from services.activities.partners.queries import find_partner
from services.activities.partners.rules import UnknownPartner
from shared.auth.callers import Caller
from shared.auth.scopes import Scope
from shared.documents import calendars
from shared.errors import NotFound
from shared.seen import hash_of
from shared.web.doors import Begin, Now, Tx, anybody, may
from shared.web.fields import MOST_WHOLE
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Tagged, etag, is_known
from shared.web.refusals import refuses
from shared.web.routes import Router, tells_secret

router = Router(tags=["calendar feeds"])

Volunteer = Annotated[Caller, Depends(may("calendar_feeds.own"))]
Host = Annotated[Caller, Depends(may("calendar_feeds.host"))]
Overseer = Annotated[Caller, Depends(may("calendar_feeds.oversee"))]
Keeper = Annotated[Caller, Depends(may("calendar_feeds.keep"))]
# Any text is taken, and most lead nowhere: a refusal of its form would say what a secret looks like.
Address = Annotated[str, Path(description="What a feed's address ends with.", json_schema_extra={"maxLength": 100})]
TEXT = {"type": "string", "maxLength": MOST_WHOLE}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The calendar (RFC 5545).", "content": {calendars.MEDIA_TYPE: {"schema": TEXT}}}
}
HEADERS = {"cache-control": "private, no-cache"}  # Kept by whoever asks, and asked for anew each time.


@router.post("/volunteers/me/calendar-feeds", status_code=201, operation_id="request_own_calendar_feed")
@tells_secret
@refuses(NotFound, rules.TooManyFeeds)
def request_own_calendar_feed(
    body: schemas.NewCalendarFeed, caller: Volunteer, tx: Tx, now: Now, request: Request
) -> schemas.RequestedCalendarFeed:
    """Ask for an address at which one's own calendar program reads one's shifts; it is told this once."""
    return _requested(tx, body, caller, now, request)


@router.post("/partners/me/calendar-feeds", status_code=201, operation_id="request_host_calendar_feed")
@tells_secret
@refuses(NotFound, UnknownPartner, rules.TooManyFeeds)
def request_host_calendar_feed(
    body: schemas.NewCalendarFeed, caller: Host, tx: Tx, now: Now, request: Request
) -> schemas.RequestedCalendarFeed:
    """Ask for an address at which a calendar program reads the partner's shifts, for a year; it is told this once."""
    return _requested(tx, body, caller, now, request)


@router.post("/calendar-feeds", status_code=201, operation_id="request_programme_calendar_feed")
@tells_secret
@refuses(NotFound, rules.TooManyFeeds)
def request_programme_calendar_feed(
    body: schemas.NewCalendarFeed, caller: Overseer, tx: Tx, now: Now, request: Request
) -> schemas.RequestedCalendarFeed:
    """Ask for an address at which a calendar program reads the programme's shifts, for a year; it is told this once."""
    return _requested(tx, body, caller, now, request)


@router.get(
    "/calendar-feeds", operation_id="list_calendar_feeds", response_model=CALENDAR_FEEDS.page,
    responses=CALENDAR_FEEDS.responses,
)  # fmt: skip
def list_calendar_feeds(caller: Keeper, asked: Annotated[Asked, Depends(CALENDAR_FEEDS.asked)], tx: Tx) -> Answer:
    """List calendar feeds, without their addresses; a volunteer sees their own, a partner's member that partner's."""
    return CALENDAR_FEEDS.answer(asked, tx, caller, queries.feeds_of(caller.scope))


@router.post(
    "/calendar-feeds/{calendar_feed_id}/revocation", operation_id="revoke_calendar_feed",
    response_model=schemas.CalendarFeed,
)  # fmt: skip
@refuses(NotFound)
def revoke_calendar_feed(calendar_feed_id: UUID, caller: Keeper, tx: Tx, now: Now) -> tables.CalendarFeed:
    """End a calendar feed for good; its address leads nowhere from now on. Again changes nothing."""
    return actions.revoke(tx, caller.scope, calendar_feed_id, now=now)


@router.get(
    "/calendars/{address}.ics", operation_id="read_calendar", dependencies=[Depends(anybody)], responses=CONTENT,
    response_class=Response,
)  # fmt: skip
@refuses(NotFound)
def read_calendar(address: Address, begin: Begin, now: Now, request: Request) -> Tagged:
    """Read the calendar of a feed, whose address is secret."""
    with begin() as tx:
        feed = queries.find_by_hash(tx, rules.hash_of(address), now=now)
        if feed is None:
            raise NotFound
        calendar, language = _calendar(tx, feed, now), feed.language
    headers = HEADERS | {"etag": etag(hash_of(calendars.essence_of(calendar))), "content-language": language}
    if is_known(request, headers["etag"]):  # Most readings end here; the route answers that nothing has changed.
        return Tagged(None, Response(headers=headers))
    return Tagged(None, Response(calendars.written(calendar), headers=headers, media_type=calendars.MEDIA_TYPE))


def _requested(
    tx: Session, body: schemas.NewCalendarFeed, caller: Caller, now: datetime, request: Request
) -> schemas.RequestedCalendarFeed:  # fmt: skip
    asked = actions.Request(caller.scope, caller.person_id, body.language, body.replaces, now)
    feed, secret = actions.request(tx, asked)
    shown = schemas.CalendarFeed.model_validate(feed)
    address = f"{request.base_url}api/activities/calendars/{secret}.ics"
    return schemas.RequestedCalendarFeed(**shown.model_dump(), address=address)


def _calendar(tx: Session, feed: tables.CalendarFeed, now: datetime) -> calendars.Calendar:
    window = rules.window(now)
    if feed.volunteer_id is not None:
        return schemas.own_calendar(feed, queries.list_places(tx, volunteer_id=feed.volunteer_id, window=window))
    host = feed.partner_id and find_partner(tx, programme_id=feed.programme_id, partner_id=feed.partner_id)
    shifts = queries.list_shifts(tx, Scope(feed.programme_id, partner_id=feed.partner_id), window=window)
    return schemas.calendar_of_shifts(feed, shifts, host=host.name if host else None)
