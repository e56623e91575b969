"""What the sheet of listings and their shifts holds, one row a shift, and what makes a row good."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.activities.listings.rules import LONGEST_SHIFT
from shared.documents.cells import BadCell, text, whole_number
from shared.documents.columns import Column
from shared.documents.moments import local_instant
from shared.errors import Title
from shared.imports.judging import Case, Effect, Found, Verdict, collected, recorded_otherwise, repeated, unknown

EXAMPLES = (
    ("EXAMPLE-P1", "EXAMPLE-L1", "示例：净滩", "1", "2022-06-01 09:00", "2022-06-01 12:00", "20"),
    ("EXAMPLE-P1", "EXAMPLE-L1", "示例：净滩", "2", "2022-06-08 09:00", "2022-06-08 12:00", "20"),
)
WHOLE_MINUTES = Title(zh="请写到分钟，不含秒", en="Write whole minutes")
PARTNER = Title(zh="须已登记的伙伴机构", en="of a partner that is recorded")
LISTING = Title(
    zh="同一活动的各场次写相同的伙伴编号、活动编号和名称",
    en="one partner and title for all of its shifts",
)
NUMBER = Title(zh="同一活动内从 1 起编号", en="counted from 1 within the activity")
LOCAL = Title(zh="当地时间，或带时差的 ISO 格式", en="local time, or ISO with an offset")
END = Title(zh="晚于开始时间，最长 24 小时", en="after the start, at most 24 hours later")


class ShiftRow(NamedTuple):
    """An occasion of an activity; rows with one listing reference describe one listing."""

    partner_reference: str
    listing_reference: str
    title: str
    shift_number: int
    starts_at: datetime
    ends_at: datetime
    capacity: int

    @property
    def key(self) -> tuple[str, int]:
        """Name the shift as the sheet does."""
        return self.listing_reference, self.shift_number


def columns(timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns, in order; instants without an offset are local to `timezone`."""
    reference, number = text(max_length=40), whole_number(minimum=1, maximum=10_000)
    return (
        Column("partner_reference", ("伙伴编号", "partner_reference"), reference, note=PARTNER),
        Column("listing_reference", ("活动编号", "listing_reference"), reference, note=LISTING),
        Column("title", ("活动名称", "title"), text(max_length=200)),
        Column("shift_number", ("场次", "shift_number"), number, note=NUMBER),
        Column("starts_at", ("开始时间", "starts_at"), local_instant(timezone), note=LOCAL),
        Column("ends_at", ("结束时间", "ends_at"), local_instant(timezone), note=END),
        Column("capacity", ("名额", "capacity"), number),
    )


@dataclass(frozen=True, slots=True)
class KnownShift:
    """A shift that exists, as far as rows are compared with it."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    state: str = field(default="open", compare=False)


class KnownListing(NamedTuple):
    """A listing that exists, as far as rows are compared with it or added to it."""

    id: UUID
    partner_reference: str
    title: str
    timezone: str


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """What is recorded of the partners, listings and shifts that rows name."""

    partners: Mapping[str, UUID]
    listings: Mapping[str, KnownListing]
    shifts: Mapping[tuple[str, int], KnownShift]


def judge(_case: Case, rows: Sequence[ShiftRow], facts: ListingFacts) -> Verdict:
    """Object to unknown partners, impossible times, repeats, and what contradicts the sheet itself or the records."""
    listings = {reference: (known.partner_reference, known.title) for reference, known in facts.listings.items()}
    objections = _Judge(facts.partners.keys(), listings, facts.shifts).of_row
    effects = [Effect.SKIP if row.key in facts.shifts else Effect.CREATE for row in rows]
    return Verdict(collected(rows, objections), effects)


@dataclass(frozen=True, slots=True)
class _Judge:
    """What is known, and what the rows so far have said: `described` is (partner, title) by listing."""

    partners: Collection[str]
    described: dict[str, tuple[str, str]]
    shifts: Mapping[tuple[str, int], KnownShift]
    seen: set[tuple[str, int]] = field(default_factory=set)

    def of_row(self, row: ShiftRow) -> Found:
        """Judge one row."""
        partner, title = self.described.setdefault(row.listing_reference, (row.partner_reference, row.title))
        if row.key in self.seen:
            yield "shift_number", repeated()
        if row.partner_reference not in self.partners:
            yield "partner_reference", unknown()
        elif row.partner_reference != partner:
            yield "partner_reference", recorded_otherwise()
        if row.title != title:
            yield "title", recorded_otherwise()
        yield from _times_of(row)
        known = self.shifts.get(row.key)
        if known is not None and known != KnownShift(row.starts_at, row.ends_at, row.capacity):
            yield "starts_at", recorded_otherwise()
        self.seen.add(row.key)


def _times_of(row: ShiftRow) -> Found:
    if row.starts_at.second or row.ends_at.second:
        yield "starts_at", BadCell("not_whole_minutes", expected="HH:MM", fix=WHOLE_MINUTES)
    if not timedelta(0) < row.ends_at - row.starts_at <= LONGEST_SHIFT:
        yield "ends_at", bad_end()


def bad_end() -> BadCell:
    """Object to an end that does not follow its start within a day."""
    fix = Title(zh="结束须晚于开始，且不超过 24 小时", en="The end must follow the start, by 24 hours at most")
    return BadCell("bad_times", expected="0 < … ≤ 24 h", fix=fix)
