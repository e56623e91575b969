"""Calendars are what RFC 5545 says, read back by the library and looked at byte by byte."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from shared.documents.calendars import Calendar, Event, Status, written

NINE = datetime(2022, 6, 1, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENT = Event(
    uid="e1", sequence=2, changed_at=NINE - timedelta(days=3), starts_at=NINE, ends_at=NINE + timedelta(hours=3),
    timezone=SHANGHAI, status=Status.CONFIRMED, summary="净滩", description="和小跳净滩", location="厦门 环岛路",
)  # fmt: skip


def calendar(*events: Event) -> Calendar:
    return Calendar("c1", "我的志愿服务", "跳跳糖的场次", events)


def read(content: bytes) -> Any:
    return icalendar.Calendar.from_ical(content)


def test_it_is_read_back_as_it_was_said() -> None:
    """Every property that programs go by; nothing of it depends on when it is written."""
    content = written(calendar(EVENT))
    found = read(content)
    [event] = found.events

    assert found.calendar_name == found["X-WR-CALNAME"] == "我的志愿服务"
    assert (found["VERSION"], found["UID"], "METHOD" in found) == ("2.0", "c1", False)
    assert {b"REFRESH-INTERVAL;VALUE=DURATION:PT1H", b"X-PUBLISHED-TTL:PT1H"} <= set(content.split(b"\r\n"))
    assert (event["UID"], event["SEQUENCE"], event["STATUS"], event["TRANSP"]) == ("e1", 2, "CONFIRMED", "OPAQUE")
    assert (event.start, event.end) == (NINE, NINE + timedelta(hours=3))
    assert event.DTSTAMP == event.LAST_MODIFIED == EVENT.changed_at
    assert (event["SUMMARY"], event["DESCRIPTION"], event["LOCATION"]) == ("净滩", "和小跳净滩", "厦门 环岛路")
    assert written(calendar(EVENT)) == content


def test_times_are_local_to_a_zone_that_it_describes() -> None:
    """Nine in Shanghai is nine there, whatever a program knows of zones."""
    content = written(calendar(EVENT))

    assert b"\r\nDTSTART;TZID=Asia/Shanghai:20220601T090000\r\n" in content
    [zone] = read(content).timezones
    assert zone["TZID"] == "Asia/Shanghai"
    assert b"TZOFFSETTO:+0800" in content


@pytest.mark.parametrize(
    "in_utc",
    [
        f"2022-{day}"
        for day in ("03-13 06:59", "03-13 07:00", "07-01 00:00", "11-06 05:00", "11-06 06:00", "11-06 07:00")
    ],
)
def test_a_zone_changes_its_clocks_as_it_does(in_utc: str) -> None:
    """By what the calendar itself says of the zone, in each year that it shows; also in an hour that comes twice."""
    zone = ZoneInfo("America/New_York")
    starts_at = datetime.fromisoformat(f"{in_utc}Z")
    event = replace(EVENT, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), timezone=zone)
    found = read(written(calendar(replace(EVENT, uid="e0", timezone=zone), event)))

    told = found.timezones[0].to_tz(lookup_tzid=False)
    for name, instant in (("DTSTART", event.starts_at), ("DTEND", event.ends_at)):
        time = found.events[1][name].dt
        is_utc = str(time.tzinfo) == "UTC"
        assert (time if is_utc else time.replace(tzinfo=told)).astimezone(UTC) == instant


def test_what_is_in_utc_has_no_zone() -> None:
    """Its times end in Z."""
    content = written(calendar(replace(EVENT, timezone=ZoneInfo("UTC"))))
    assert b"\r\nDTSTART:20220601T010000Z\r\n" in content
    assert read(content).timezones == []


@pytest.mark.parametrize(
    "text",
    [
        "甲,乙;丙:丁\\戊", "一\n二\r\n三", "\"引号\" 'x'", "👩🏽‍💻🎉", "BEGIN:VEVENT", "x\nEND:VCALENDAR\nATTACH:file:///",
        "长" * 500, "🎈" * 80, "a" * 74 + "é",
    ],
)  # fmt: skip
def test_any_text_comes_back(text: str) -> None:
    """Commas, semicolons, line breaks, what looks like another line, and lines of any length."""
    content = written(calendar(replace(EVENT, summary=text, location=text, description=text)))
    [event] = read(content).events

    said = text.replace("\r\n", "\n")
    assert (event["SUMMARY"], event["LOCATION"], event["DESCRIPTION"]) == (said, said, said)


def test_lines_are_folded_by_octets_between_characters() -> None:
    """75 at most without the break, which is CRLF and nothing else; no character is cut in two (section 3.1)."""
    content = written(calendar(replace(EVENT, summary="🎈长é" * 60, description="一\r二\u2028三\x85四\x0b五\x00六")))

    assert content.endswith(b"END:VCALENDAR\r\n")
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert sum(line.startswith(b" ") for line in lines) > 5
    assert all(line.decode().isprintable() for line in lines)
    assert read(content).events[0]["DESCRIPTION"] == "一\n二 三 四 五 六"


def test_one_that_is_not_certain_says_so() -> None:
    """In words that programs know; without a place there is no LOCATION."""
    [event] = read(
        written(calendar(replace(EVENT, status=Status.TENTATIVE, is_busy=False, location=None)))
    ).events  # fmt: skip

    assert (event["STATUS"], event["TRANSP"], "LOCATION" in event) == ("TENTATIVE", "TRANSPARENT", False)


def test_without_events_it_is_a_calendar() -> None:
    """Programs take an empty one, and ask again."""
    found = read(written(calendar()))
    assert (found.events, found.timezones) == ([], [])
