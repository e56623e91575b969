"""What phones and screens see: the pages' words, their parts and their HTML."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import segno
from markupsafe import Markup

from services.console.phone import rules
from services.console.phone.rules import Code, Place, Shift
from services.console.shell.rules import Problem
from services.console.shell.schemas import Notice, Pages, Say
from services.console.shell.schemas import make_notice as say_refusal

QUIET_ZONE = 4  # Modules of white around the code, as ISO/IEC 18004 asks.

PAGES = Pages(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Card:
    """What a shift's screen shows until its code changes."""

    qr: Markup
    digits: str
    remaining_ms: int


@dataclass(frozen=True, slots=True)
class Occasion:
    """A shift as a person reads it, in the listing's zone."""

    id: UUID
    reference: str
    title: str
    day: str
    hours: str


def make_card(code: Code, *, shift_id: UUID, console_url: str, now: datetime) -> Card:
    """Draw the code so that a phone's own camera opens the volunteer's page with it."""
    address = f"{console_url}/c/{shift_id}?{urlencode({'code': code.code})}"
    drawing = segno.make_qr(address, error="m").svg_inline(border=QUIET_ZONE, omitsize=True, svgclass="modules")
    return Card(
        qr=Markup(drawing),  # noqa: S704  Drawn by segno from an address of ours.
        digits=f"{code.code[:3]} {code.code[3:]}",
        remaining_ms=rules.remaining_ms(code.valid_until, now=now),
    )


def make_occasion(shift: Shift, *, language: str) -> Occasion:
    """Say when a shift is, by the clock on the wall there."""
    start, end = (instant.astimezone(_zone(shift)) for instant in (shift.starts_at, shift.ends_at))
    until = f"{end:%H:%M}"
    if end.date() > start.date():
        until = PAGES.speaker(language)("check.next_day", time=until)
    return Occasion(
        id=shift.id,
        reference=shift.listing_reference,
        title=shift.listing_title,
        day=_day(start, language),
        hours=f"{start:%H:%M}\N{EN DASH}{until}",
    )


def make_place(place: Place, shift: Shift, *, language: str) -> dict[str, Any]:
    """Say where the volunteer stands on the shift, and which step comes next."""
    say = PAGES.speaker(language)
    minutes = place.service_minutes
    return {
        "step": rules.next_step(shift, place).value,
        "arrived": _clock(place.checked_in_at, shift),
        "left": _clock(place.checked_out_at, shift),
        "served": None if minutes is None else _duration(minutes, "hours", "minutes", say),
    }


def make_notice(problem: Problem, *, language: str, shift: Shift | None = None) -> Notice:
    """Say what an API refused, in its own words, and in ours what to do about it."""
    say = PAGES.speaker(language)
    return say_refusal(problem, say=say, facts=lambda found: _facts(found, say, shift))


def _facts(problem: Problem, say: Say, shift: Shift | None) -> dict[str, str]:
    facts = {name: str(value) for name, value in problem.facts.items()}
    if "retry_after" in facts:
        facts["retry_after"] = _duration(int(facts["retry_after"]), "minutes", "seconds", say)
    if shift is not None:
        for name in facts.keys() & {"opens_at", "closes_at"}:
            facts[name] = _clock(datetime.fromisoformat(facts[name]), shift) or ""
    return facts


def _duration(count: int, large: str, small: str, say: Say) -> str:
    """Say minutes as hours and minutes, or seconds as minutes and seconds, without what is zero."""
    whole, rest = divmod(count, 60)
    parts = [say(f"check.{large}", **{large: whole})] if whole else []
    if rest or not whole:
        parts.append(say(f"check.{small}", **{small: rest}))
    return " ".join(parts)


def _clock(instant: datetime | None, shift: Shift) -> str | None:
    return None if instant is None else f"{instant.astimezone(_zone(shift)):%H:%M}"


def _day(moment: datetime, language: str) -> str:
    if language == "en":
        return f"{moment:%A}, {moment.day} {moment:%B} {moment.year}"
    return f"{moment.year}年{moment.month}月{moment.day}日 周{'一二三四五六日'[moment.weekday()]}"


def _zone(shift: Shift) -> ZoneInfo:
    return ZoneInfo(shift.timezone)
