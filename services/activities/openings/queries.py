"""Reads of the shifts that somebody can still sign up for. See docs/decisions/0058-search.md."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, bindparam, cast, extract, false, func, select
from sqlalchemy.dialects.postgresql import TSQUERY

from services.activities.checklists.rules import Mode
from services.activities.listings.queries import shifts_of
from services.activities.listings.rules import AHEAD, ListingState
from services.activities.listings.tables import Listing, ListingWords, Shift
from services.activities.openings import rules
from services.activities.openings.rules import Day, Part
from services.activities.words.rules import query
from shared.database.keyset import Column, Filter, KeysetList, Sort, equal, since, until

_SATURDAY: Final = 6  # Of a week as ISO 8601 counts it.


def _found_by(_column: Column, asked: str) -> ColumnElement[bool]:
    """Say that a shift's listing is found.

    The words stand in the statement itself, letters and digits as they are: PostgreSQL then looks up each time how
    common they are, where a plan that is made once for all words takes them for rare.
    """
    words = query(asked)
    if not words:
        return false()
    said = cast(bindparam(None, words, type_=Text, literal_execute=True), TSQUERY)
    return Shift.listing_id.in_(select(ListingWords.listing_id).where(ListingWords.words.op("@@")(said)))


def _asks_for(_column: Column, skill: str) -> ColumnElement[bool]:
    return Listing.skills.contains([skill])


def _in_city(city: Column, asked: str) -> ColumnElement[bool]:
    return city.in_(rules.spellings(asked))


def _on(service_on: Column, day: Day) -> ColumnElement[bool]:
    weekday = extract("isodow", service_on)
    return weekday >= _SATURDAY if day is Day.WEEKEND else weekday < _SATURDAY


def _in_part(starts_at: Column, part: Part) -> ColumnElement[bool]:
    first, until_hour = rules.HOURS[part]
    hour = extract("hour", func.timezone(Listing.timezone, starts_at))
    return (hour >= first) & (hour < until_hour)


def _has_room(taken: Column, value: object) -> ColumnElement[bool]:
    return (taken < Shift.capacity) if value else (taken >= Shift.capacity)


OPENINGS = KeysetList(
    key=(Shift.id,),
    sorts={"starts_at": Sort(Shift.starts_at)},
    filters={
        # Of the title's type: one line of text.
        "text": Filter(
            Listing.title,
            "With all of these words in the title, the place, the city, the partner's name or the beginning of the "
            "description: parts of Chinese words, how they are read (`jinglao`), in names also initials (`jl`), or the "
            "beginning of other words. Case, width and signs do not matter; the first 10 words count.",
            _found_by,
        ),
        "skill": Filter(Listing.title, "Some position asks for this skill, by its code.", _asks_for),
        "mode": equal(Listing.mode, "Of this mode.", takes=Mode),
        "city": Filter(Listing.city, "In this city, with or without 市.", _in_city),
        "partner_id": equal(Shift.partner_id, "Of this partner."),
        "starts_from": since(Shift.starts_at, "Starts at this instant or later."),
        "starts_until": until(Shift.starts_at, "Starts before this instant."),
        "day": Filter(Shift.service_on, "Starts from Monday to Friday, or on a weekend.", _on, takes=Day),
        "part": Filter(Shift.starts_at, "Starts before noon, before 18:00, or later.", _in_part, takes=Part),
        "has_room": Filter(Shift.taken, "With a free place, or without one.", _has_room, takes=bool),
    },
    default_sort="starts_at",
)  # fmt: skip


def openings_of(programme_id: UUID, partner_scope: UUID | None, *, now: datetime) -> Select[Shift]:
    """Say which shifts are still to come and take people, or have a line: all, or one partner's."""
    rows = shifts_of(programme_id, partner_scope).join(Listing, Listing.id == Shift.listing_id)
    rows = rows.where(Listing.state == ListingState.PUBLISHED, Shift.closed_at.is_(None))
    return rows.where(Shift.state.in_(sorted(AHEAD)), Shift.starts_at > now)
