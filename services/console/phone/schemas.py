"""What phones and screens see: the pages' words, their parts and their HTML."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from services.console.phone import rules
from services.console.phone.rules import Code, Place, Problem, Shift

LANGUAGES = ("zh", "en")
QUIET_ZONE = 4  # Modules of white around the code, as ISO/IEC 18004 asks.

_HERE = Path(__file__).parent
_TEXTS: dict[str, dict[str, dict[str, str]]] = tomllib.loads((_HERE / "texts.toml").read_text("utf-8"))
_PROBLEM = TypeAdapter(Problem)
_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


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


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, and what to do next."""

    title: str
    advice: str
    trace_id: str | None = None


def write_page(name: str, *, language: str, **context: object) -> str:
    """Write one page. Raises jinja2.UndefinedError when the template asks for what it did not get."""
    return _environment.get_template(name).render(t=speaker(language), language=language, **context)


def speaker(language: str) -> Callable[..., str]:
    """Return how to say a text of texts.toml, as in `say("check.done")`, in one language. It raises KeyError."""

    def say(key: str, **facts: object) -> str:
        room, name = key.split(".")
        return _TEXTS[room][name][language].format(**facts)

    return say


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
        until = speaker(language)("check.next_day", time=until)
    return Occasion(
        id=shift.id,
        reference=shift.listing_reference,
        title=shift.listing_title,
        day=_day(start, language),
        hours=f"{start:%H:%M}\N{EN DASH}{until}",
    )


def make_place(place: Place, shift: Shift, *, language: str) -> dict[str, Any]:
    """Say where the volunteer stands on the shift, and which step comes next."""
    say = speaker(language)
    minutes = place.service_minutes
    return {
        "step": rules.next_step(shift, place).value,
        "arrived": _clock(place.checked_in_at, shift),
        "left": _clock(place.checked_out_at, shift),
        "served": None if minutes is None else _duration(minutes, "hours", "minutes", say),
    }


def make_notice(problem: Problem, *, language: str, shift: Shift | None = None) -> Notice:
    """Say what an API refused, in its own words, and in ours what to do about it."""
    say = speaker(language)
    try:
        advice = say(f"advice.{problem.code}", **_facts(problem, say, shift))
    except (
        KeyError,
        ValueError,
        TypeError,
        OverflowError,
    ):  # A code that we do not know, or facts other than it used to bring.
        advice = say("advice.other")
    return Notice(title=problem.title, advice=advice, trace_id=problem.trace_id)


def say_fault(name: str, *, language: str, trace_id: str | None = None) -> Notice:
    """Say what went wrong outside the APIs' refusals, by its name in texts.toml."""
    say = speaker(language)
    return Notice(say(f"fault.{name}"), say(f"fault.{name}_advice"), trace_id)


def write_outcome(problem: Problem) -> str:
    """Write a problem for the page that the browser is sent to, as ASCII."""
    return _PROBLEM.dump_json(problem).hex()


def read_outcome(written: str) -> Problem | None:
    """Read what `write_outcome` wrote; None for anything else, as it comes from outside."""
    try:
        return _PROBLEM.validate_json(bytes.fromhex(written)) if written else None
    except (ValueError, ValidationError):
        return None


def _facts(problem: Problem, say: Callable[..., str], shift: Shift | None) -> dict[str, str]:
    facts = {name: str(value) for name, value in problem.facts.items()}
    if "retry_after" in facts:
        facts["retry_after"] = _duration(int(facts["retry_after"]), "minutes", "seconds", say)
    if shift is not None:
        for name in facts.keys() & {"opens_at", "closes_at"}:
            facts[name] = _clock(datetime.fromisoformat(facts[name]), shift) or ""
    return facts


def _duration(count: int, large: str, small: str, say: Callable[..., str]) -> str:
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
