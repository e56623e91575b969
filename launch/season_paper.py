"""The season report as a document: figures month by month, the waterfall, the checks, zh or en."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from launch.client import Api
from launch.report import EVER, Figures
from services.ledger.policies.rules import DROP_TITLES, Drop
from shared.documents import charts, wording
from shared.documents.papers import Cell, Column, Count, Facts, Fen, Language, Minutes, Paper, Picture, Table, pick

MOST_MONTHS = 36  # A longer season is told by years.
MONTHS_A_YEAR = 12
FIRST, LAST = (date.fromisoformat(EVER[edge]) for edge in ("since", "until"))


@dataclass(frozen=True, slots=True)
class Span:
    """Some whole months, `[begin, end)`, and what happened in them; minutes and fen."""

    begin: date
    end: date
    participations: int
    recorded_minutes: int
    credited_minutes: int
    accrued_fen: int


@dataclass(frozen=True, slots=True)
class Season:
    """All that the report tells: the figures of the whole, and of its months or years."""

    figures: Figures
    spans: Sequence[Span]


def _number(first: date) -> int:
    return first.year * MONTHS_A_YEAR + first.month - 1


def _first_of(number: int) -> date:
    return date(number // MONTHS_A_YEAR, number % MONTHS_A_YEAR + 1, 1)


def spans(api: Api, token: str) -> list[Span]:
    """Ask the ledger what each month of service came to, from the first month with any to the last.

    Finds them by halving all months there can be: two dozen small questions. Raises Problem, Unreachable.
    """

    def ask(begin: date, end: date) -> dict[str, Any]:
        found: dict[str, Any] = api.get("/api/ledger/waterfall", token=token, service_from=begin, service_until=end)
        return found

    low, high = _number(FIRST), _number(LAST)
    if not ask(FIRST, LAST)["participations"]:
        return []
    first = _halve(low, high, lambda month: bool(ask(FIRST, _first_of(month + 1))["participations"]))
    last = _halve(low, high, lambda month: not ask(_first_of(month + 1), LAST)["participations"])
    step = 1 if last - first < MOST_MONTHS else MONTHS_A_YEAR
    begins = range(first - first % step, last + 1, step)
    return [_span(_first_of(begin), _first_of(begin + step), ask) for begin in begins]


def _halve(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Find the first number in [low, high] from which on a condition holds."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _span(begin: date, end: date, ask: Callable[[date, date], dict[str, Any]]) -> Span:
    found = ask(begin, end)
    return Span(
        begin, end, found["participations"], found["recorded_minutes"], found["credited_minutes"],
        found["accrued"]["fen"],
    )  # fmt: skip


def paper_of(season: Season, *, language: Language, programme: str, issued_at: datetime) -> Paper:
    """Write a season's report as a document."""

    def say(zh: str, en: str) -> str:
        return en if language == "en" else zh

    monthly = _by_month(season.spans, language, say)
    return Paper(
        title=say("志愿服务季度报告", "Season report"),
        language=language,
        programme=programme,
        reference="-".join(["season", *(f"{span.begin:%Y%m}" for span in (*season.spans[:1], *season.spans[-1:]))]),
        period=_period(season.spans, language),
        issued_at=issued_at,
        sections=[
            _summary(season.figures, say),
            *_pictures(season, language, say),
            _waterfall(season.figures, language, say),
            monthly,
            _checks(season.figures, say),
        ],
    )


Say = Callable[[str, str], str]


def _named(span: Span, language: Language) -> str:
    """Name a month by the month, a year by the year."""
    is_year = _number(span.end) - _number(span.begin) > 1
    return str(span.begin.year) if is_year else wording.month(span.begin, language)


def _period(found: Sequence[Span], language: Language) -> str:
    if not found:
        return ""
    return " - ".join(dict.fromkeys((_named(found[0], language), _named(found[-1], language))))


def _summary(found: Figures, say: Say) -> Facts:
    carried = say(f"另有 {found.partners_carried_over} 家延续", f"and {found.partners_carried_over} carried over")
    return Facts(
        say("概要", "Summary"),
        [
            (say("签约机构", "Partners signed"), f"{found.partners_signed} ({carried})"),
            (say("招募轮次", "Rounds"), Count(found.rounds)),
            (say("活动方案", "Proposals"), Count(found.proposals)),
            (say("审核通过", "Approved"), f"{found.approved:,} ({found.pass_rate or '-'} %)"),
            (say("活动场次", "Shifts held"), Count(found.shifts_held)),
            (say("参与人次", "Participations"), Count(found.participations)),
            (say("志愿者", "Volunteers"), Count(found.volunteers)),
            (say("未签退", "Without check-out"), Count(found.without_check_out)),
            (say("漏签已补回", "Missed and recovered"), Count(found.missed_recovered)),
            (say("漏签未补回", "Missed and lapsed"), Count(found.missed_lapsed)),
            (say("记录时长", "Recorded"), Minutes(found.recorded_minutes)),
            (say("公益时", "Credited"), Minutes(found.credited_minutes)),
            (say("计提配捐", "Accrued"), Fen(found.accrued_fen)),
        ],
    )


def _steps(found: Figures, language: Language, say: Say) -> list[tuple[str, int, bool]]:
    """Return the waterfall's stages and the drops between them: title, minutes, whether it is a drop."""
    drops = {Drop(code): minutes for code, minutes in found.drops.items()}
    early = drops.pop(Drop.NOT_MATCHABLE, 0)
    return [
        (say("记录时长", "Recorded"), found.recorded_minutes, False),
        (pick(DROP_TITLES[Drop.NOT_MATCHABLE], language), -early, True),
        (say("可配捐时长", "Matchable"), found.matchable_minutes, False),
        *((pick(DROP_TITLES[code], language), -minutes, True) for code, minutes in drops.items()),
        (say("公益时", "Credited"), found.credited_minutes, False),
    ]


def _waterfall(found: Figures, language: Language, say: Say) -> Table:
    columns = [Column(say("环节", "Stage"), 3), *(Column(name, 2, is_figure=True) for name in _units(say))]
    rows: list[Sequence[Cell]] = [(title, Minutes(minutes), None) for title, minutes, _ in _steps(found, language, say)]
    total = (say("计提配捐", "Accrued"), Minutes(found.credited_minutes), Fen(found.accrued_fen))
    return Table(say("从记录时长到计提配捐", "From recorded time to money accrued"), columns, rows, total=total)


def _units(say: Say) -> tuple[str, str]:
    return say("时长", "Time"), say("金额", "Amount")


def _by_month(found: Sequence[Span], language: Language, say: Say) -> Table:
    headings = (
        say("参与人次", "Participations"), say("记录时长", "Recorded"), say("公益时", "Credited"),
        say("计提配捐", "Accrued"),
    )  # fmt: skip
    columns = [Column(say("期间", "Period"), 2), *(Column(name, 2, is_figure=True) for name in headings)]
    rows = [_row(_named(span, language), span) for span in found]
    whole = Span(
        FIRST, LAST,
        sum(span.participations for span in found), sum(span.recorded_minutes for span in found),
        sum(span.credited_minutes for span in found), sum(span.accrued_fen for span in found),
    )  # fmt: skip
    return Table(say("分月明细", "Month by month"), columns, rows, total=_row(say("合计", "Total"), whole))


def _row(name: str, span: Span) -> Sequence[Cell]:
    return (
        name, Count(span.participations), Minutes(span.recorded_minutes), Minutes(span.credited_minutes),
        Fen(span.accrued_fen),
    )  # fmt: skip


def _pictures(season: Season, language: Language, say: Say) -> list[Picture]:
    """Draw participations and hours over time, and the waterfall; nothing where nothing happened."""
    if not season.spans:
        return []
    points = [f"{span.begin:%Y-%m}" for span in season.spans]
    hours = say("服务小时", "Hours recorded")
    over_time = charts.columns(
        points,
        [
            charts.Panel(say("参与人次", "Participations"), [span.participations for span in season.spans]),
            charts.Panel(hours, [span.recorded_minutes for span in season.spans], is_time=True),
        ],
    )
    steps = [
        charts.Step(title, minutes, wording.duration(minutes, language), is_drop=is_drop)
        for title, minutes, is_drop in _steps(season.figures, language, say)
        if minutes or not is_drop
    ]
    said = "; ".join(f"{step.title}: {step.label}" for step in steps)
    titles = (
        say("参与人次与服务小时", "Participations and hours"),
        say("时长瀑布图（小时）", "Waterfall of time (hours)"),
    )
    table = say("数据见“分月明细”表。", 'The data is in the table "Month by month".')
    return [Picture(titles[0], over_time, table), Picture(titles[1], charts.waterfall(steps), said)]


def _checks(found: Figures, say: Say) -> Facts:
    def verdict(*, good: bool) -> str:
        return say("是", "yes") if good else say("否", "NO")

    return Facts(
        say("核对", "Checks"),
        [
            (say("两个服务一致", "Services agree"), verdict(good=found.services_agree)),
            (say("账目平衡", "Books balance"), verdict(good=found.books_balance)),
            (say("死信", "Dead letters"), Count(found.dead_letters)),
        ],
    )
