"""What the first page shows: each part's figures as people read them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.console.home import queries, rules
from services.console.home.rules import Occasion, Section
from services.console.phone import rules as phone
from services.console.phone.schemas import make_occasion
from services.console.shell.schemas import Notice, Pages
from shared.money import yuan

PAGES = Pages(Path(__file__).parent)
ID_END = 8  # Characters.
ZONE = ZoneInfo("Asia/Shanghai")  # Policies are one programme's; until it tells its zone, this is where they are made.


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page: what it shows, or why it cannot."""

    name: Section
    shown: Mapping[str, Any]
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift as a volunteer or a partner reads it."""

    id: UUID
    reference: str
    title: str
    day: str
    hours: str
    taken: int
    capacity: int
    state: str
    offer: str = ""
    place: str = ""


def make_row(occasion: Occasion, *, language: str, offer: str = "", place: str = "") -> ShiftRow:
    """Say when a shift is and how many places are left."""
    shift, listing = occasion.shift, occasion.listing
    told = make_occasion(
        phone.Shift(
            id=shift.id, listing_reference=listing.reference, listing_title=listing.title, starts_at=shift.starts_at,
            ends_at=shift.ends_at, timezone=listing.timezone, state=shift.state,
        ),
        language=language,
    )  # fmt: skip
    return ShiftRow(
        id=shift.id, reference=told.reference, title=told.title, day=told.day, hours=told.hours, taken=shift.taken,
        capacity=shift.capacity, state=shift.state, offer=offer, place=place,
    )  # fmt: skip


def make_summary(summary: queries.Summary, *, language: str) -> dict[str, Any]:
    """Say what has happened so far, figure by figure."""
    figures = {
        "participations": count(summary.participations),
        "volunteers": count(summary.volunteers),
        "service": say_minutes(summary.service_minutes, language=language),
        "shifts_held": f"{count(summary.shifts_held)} / {count(summary.shifts)}",
        "shifts_cancelled": count(summary.shifts_cancelled),
        "without_check_out": count(summary.without_check_out),
        "partners": count(summary.partners_signed + summary.partners_carried_over),
    }
    return {"figures": figures, "is_empty": summary.shifts == 0 and summary.participations == 0}


def make_waterfall(waterfall: queries.Waterfall, *, language: str) -> dict[str, Any]:
    """Say what became of the recorded time; `share` is in whole percent of it, for the bars."""
    stages = {
        "recorded": waterfall.recorded_minutes,
        "matchable": waterfall.matchable_minutes,
        "credited": waterfall.credited_minutes,
    }
    most = max(waterfall.recorded_minutes, 1)
    return {
        "stages": [
            {"name": name, "time": say_minutes(minutes, language=language), "share": minutes * 100 // most}
            for name, minutes in stages.items()
        ],
        "drops": [
            {"why": drop.en if language == "en" else drop.zh, "time": say_minutes(drop.minutes, language=language)}
            for drop in waterfall.drops
            if drop.minutes
        ],
        "accrued": f"¥{yuan(waterfall.accrued.fen)}",
        "participations": count(waterfall.participations),
        "is_empty": waterfall.participations == 0,
    }


def make_policies(found: tuple[list[queries.PolicyVersion], bool], *, language: str) -> dict[str, Any]:
    """Say what an hour is worth, proposals first, then the newest."""
    versions, more = found
    ordered = sorted(versions, key=lambda each: (each.approver_id is None, each.effective_from), reverse=True)
    return {
        "more": more,
        "versions": [
            {
                "since": _day_of(each.effective_from),
                "until": each.effective_until and _day_of(each.effective_until),
                "per_hour": f"¥{yuan(each.fen_per_hour)}",
                "step": say_minutes(each.step_minutes, language=language),
                "bounds": f"{say_minutes(each.min_minutes, language=language)} – "  # noqa: RUF001  A range.
                f"{say_minutes(each.max_minutes, language=language)}",
                "is_approved": each.approver_id is not None,
            }
            for each in ordered
        ],
    }


def make_trial_balance(found: queries.TrialBalance, *, language: str) -> dict[str, Any]:
    """Say whether the books balance, account by account."""
    return {
        "balanced": found.balanced,
        "differing": found.differing_balances,
        "totals": found.differing_totals,
        "unbalanced": found.unbalanced_entries,
        "accounts": [
            {
                "account": each.account,
                "name": each.en if language == "en" else each.zh,
                "legs": yuan(each.from_legs.fen),
                "balances": yuan(each.from_balances.fen),
            }
            for each in found.accounts
        ],
    }


def make_attendances(found: tuple[list[queries.Attendance], bool], *, language: str) -> dict[str, Any]:
    """Say how the programme's attendances stand, without names."""
    rows, more = found
    return {
        "more": more,
        "rows": [
            {
                "day": each.service_on.isoformat(),
                "state": each.state,
                "evidence": each.evidence,
                "time": say_minutes(each.service_minutes, language=language),
            }
            for each in rows
        ],
    }


def make_imports(found: tuple[list[queries.Import], bool], *, language: str) -> dict[str, Any]:
    """Say how the sheets stand that were sent in."""
    rows, more = found
    return {
        "more": more,
        "rows": [
            {
                "kind": each.kind,
                "file": each.file_name or "",
                "at": _minute_of(each.staged_at),
                "state": each.state,
                "counts": {name: count(number) for name, number in asdict(each.preview).items() if number},
                "progress": f"{count(each.done)} / {count(each.total)}" if each.state == "committing" else "",
                "failure": each.failure and (each.failure.en if language == "en" else each.failure.zh),
            }
            for each in rows
        ],
    }


def make_audit(found: tuple[list[queries.AuditEntry], bool]) -> dict[str, Any]:
    """Say who changed what, and who was denied; people by the end of their ids, which is where these differ."""
    rows, more = found
    return {
        "more": more,
        "rows": [
            {
                "at": _minute_of(each.at),
                "operation": each.operation,
                "roles": each.roles,
                "person": str(each.person_id)[-ID_END:],
                "service": each.service or "",
                "outcome": each.outcome,
                "repeats": count(each.repeats) if each.repeats else "",
                "reason": each.reason or "",
            }
            for each in rows
        ],
    }


def make_balance(balances: list[queries.Balance]) -> dict[str, Any]:
    """Say what a partner is owed."""
    return {"owed": f"¥{yuan(rules.owed([(each.account, each.balance.fen) for each in balances]))}"}


def say_minutes(minutes: int, *, language: str) -> str:
    """Say whole minutes as hours and minutes, without what is zero."""
    whole, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else ""
    hour, minute = ("h", "min") if language == "en" else ("小时", "分钟")
    parts = [f"{whole:,} {hour}"] if whole else []
    if rest or not whole:
        parts.append(f"{rest} {minute}")
    return sign + " ".join(parts)


def count(number: int) -> str:
    """Write a count with its thousands apart."""
    return f"{number:,}"


def _day_of(instant: datetime) -> str:
    return instant.astimezone(ZONE).date().isoformat()


def _minute_of(instant: datetime) -> str:
    return instant.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
