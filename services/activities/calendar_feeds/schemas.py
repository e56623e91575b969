"""What HTTP callers send and see of calendar feeds, and how shifts are written into a calendar."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.calendar_feeds import queries, rules, tables
from services.activities.calendar_feeds.queries import Occasion, Place
from services.activities.calendar_feeds.rules import Kind
from services.activities.sign_ups.rules import State
from shared.documents.calendars import Calendar, Event, Status
from shared.errors import Title
from shared.web.fields import Shown
from shared.web.lists import Listed

Language = Literal["zh", "en"]
MOST_DESCRIPTION: Final = 300  # Characters of an activity's own in one event.


class NewCalendarFeed(BaseModel):
    """In which language a calendar is written, and which feed of the caller's own it replaces."""

    model_config = ConfigDict(extra="forbid")

    language: Language = "zh"
    replaces: UUID | None = Field(default=None, description="This feed of one's own is revoked, in the same step.")


class CalendarFeed(BaseModel):
    """That calendar programs may read shifts at an address, which is told once and kept nowhere."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="订阅编号 / The feed's id")
    person_id: UUID = Field(description="申请人编号 / Who asked for it")
    kind: Kind = Field(description="范围：本人、机构或整个项目 / Whose shifts: the person's, a partner's, or all")
    partner_id: UUID | None = Field(description="机构编号 / The partner's id")
    volunteer_id: UUID | None = Field(description="志愿者编号 / The volunteer's id")
    language: Language = Field(description="语言 / Language")
    requested_at: AwareDatetime = Field(description="申请时间 / When it was asked for")
    expires_at: AwareDatetime | None = Field(description="到期时间 / When it ends by itself")
    revoked_at: AwareDatetime | None = Field(description="停用时间 / When it was revoked")


class RequestedCalendarFeed(CalendarFeed):
    """A new feed with its address: who has that reads the calendar, so it is for the caller's own programs alone."""

    address: Shown


CALENDAR_FEEDS = Listed(
    queries.FEEDS,
    CalendarFeed,
    file="calendar-feeds",
    title=Title(zh="日历订阅", en="Calendar feeds"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "person_id": Title(zh="申请人编号", en="Asked for by"),
        "kind": Title(zh="范围", en="Kind"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "language": Title(zh="语言", en="Language"),
        "requested_at": Title(zh="申请时间", en="Asked for at"),
        "expires_at": Title(zh="到期时间", en="Ends at"),
        "revoked_at": Title(zh="停用时间", en="Revoked at"),
    },
)

_NAMES: Final = {
    Kind.VOLUNTEER: Title(zh="跳跳糖：我的志愿服务", en="Popcandy: my volunteering"),
    Kind.PARTNER: Title(zh="跳跳糖：{host}", en="Popcandy: {host}"),
    Kind.PROGRAMME: Title(zh="跳跳糖：全部场次", en="Popcandy: all shifts"),
}
_ABOUT: Final = Title(
    zh="过去 30 天至未来一年的场次，至多 {most} 个。", en="Shifts from 30 days ago to a year ahead, {most} at most."
)
_OFF: Final = Title(zh="已取消：{title}", en="Cancelled: {title}")
_TITLES: Final = {  # Of one that is one's own, but for those that one has: those have the activity's.
    State.WAITLISTED: Title(zh="候补：{title}", en="Waiting list: {title}"),
    State.OFFERED: Title(zh="待确认：{title}", en="To confirm: {title}"),
    **dict.fromkeys(rules.GONE, Title(zh="不参加：{title}", en="Not taking part: {title}")),
    State.CANCELLED_BY_HOST: _OFF,
}
_HOST: Final = Title(zh="主办：{host}", en="Host: {host}")
_KEPT: Final = Title(zh="名额保留至 {until}，请在此前确认。", en="The place is kept until {until}: confirm it before.")
_PLACES: Final = Title(
    zh="名额 {capacity}，已报 {taken}，至少 {minimum} 人成行", en="Places {capacity}, taken {taken}, at least {minimum}"
)


def own_calendar(feed: tables.CalendarFeed, places: Iterable[Place]) -> Calendar:
    """Show how a person stands with shifts; nobody else is named."""
    return _calendar(feed, [_of_place(each, feed.language) for each in places])


def calendar_of_shifts(feed: tables.CalendarFeed, shifts: Iterable[Occasion], *, host: str | None) -> Calendar:
    """Show a partner's or a programme's shifts, with how many places are taken, and nobody's name."""
    return _calendar(feed, [_of_shift(each, feed.language) for each in shifts], host=host or "")


def _calendar(feed: tables.CalendarFeed, events: Iterable[Event], **words: str) -> Calendar:
    name = _said(_NAMES[Kind(feed.kind)], feed.language, **words)
    about = _said(_ABOUT, feed.language, most=rules.MOST_EVENTS)
    return Calendar(uid=str(feed.id), name=name, description=about, events=tuple(events))


def _of_place(place: Place, language: str) -> Event:
    shift, state = place.occasion, State(place.state)
    status = rules.status_of_place(state, shift=shift.state)
    is_off = rules.status_of_shift(shift.state) is Status.CANCELLED
    title = _OFF if is_off else _TITLES.get(state, Title("{title}", "{title}"))
    lines = [_said(_HOST, language, host=shift.host)]
    if status is Status.TENTATIVE and place.offer_expires_at is not None:
        lines.append(_said(_KEPT, language, until=_local(place.offer_expires_at, shift.timezone)))
    summary = _said(title, language, title=shift.title)
    return _event(shift, status, uid=place.sign_up_id, summary=summary, lines=lines)


def _of_shift(shift: Occasion, language: str) -> Event:
    status = rules.status_of_shift(shift.state)
    summary = _said(_OFF, language, title=shift.title) if status is Status.CANCELLED else shift.title
    counted = {"capacity": shift.capacity, "taken": shift.taken, "minimum": shift.minimum}
    lines = [_said(_HOST, language, host=shift.host), _said(_PLACES, language, **counted)]
    return _event(shift, status, uid=shift.shift_id, summary=summary, lines=lines)


def _event(shift: Occasion, status: Status, *, uid: UUID, summary: str, lines: list[str]) -> Event:
    about = shift.description or ""
    if len(about) > MOST_DESCRIPTION:
        about = f"{about[: MOST_DESCRIPTION - 1]}…"
    return Event(
        uid=str(uid), sequence=shift.revision, changed_at=shift.changed_at, starts_at=shift.starts_at,
        ends_at=shift.ends_at, timezone=ZoneInfo(shift.timezone), status=status, summary=summary,
        description="\n".join((*lines, *filter(None, [about]))),
        location=" ".join(filter(None, (shift.city, shift.place))) or None, is_busy=status is Status.CONFIRMED,
    )  # fmt: skip


def _local(instant: datetime, timezone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


def _said(words: Title, language: str, **facts: object) -> str:
    text: str = getattr(words, language)
    return text.format(**facts)
