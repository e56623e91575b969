"""How values read in a document, in zh and en, by the CLDR's rules (babel). No float stands for money or time."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

from shared.documents.papers import Cell, Count, Fen, Language, Minutes, Reference
from shared.money import CURRENCY, MINUTES_PER_HOUR

_LOCALES = {"zh": Locale("zh", "CN", script="Hans"), "en": Locale("en", "GB")}
_MONEY_LOCALE = _LOCALES["zh"]  # The sign is ¥ in both languages; English alone would write CN¥.
_PATTERNS = {"zh": "yyyy年M月d日 HH:mm '(UTC'xxx')'", "en": "d MMM yyyy, HH:mm '(UTC'xxx')'"}
_MONTHS = {"zh": "yyyy年M月", "en": "MMM yyyy"}


def money(fen: int) -> str:
    """Write fen as yuan: 123450 → `¥1,234.50`."""
    return numbers.format_currency(Decimal(fen).scaleb(-2), CURRENCY, locale=_MONEY_LOCALE)


def duration(minutes: int, language: Language) -> str:
    """Write minutes as hours and minutes: 125 → `2 小时 5 分钟`, `2 h 5 min`; less than an hour has no hours."""
    hour, minute = (" 小时", " 分钟") if language == "zh" else (" h", " min")
    whole, rest = divmod(abs(minutes), MINUTES_PER_HOUR)
    parts = [f"{count(whole)}{hour}"] * bool(whole) + [f"{rest}{minute}"] * bool(rest or not whole)
    return ("-" if minutes < 0 else "") + " ".join(parts)


def count(number: int) -> str:
    """Write a whole number in groups of three."""
    return numbers.format_decimal(number, format="#,##0", locale=_MONEY_LOCALE)


def day(on: date, language: Language) -> str:
    """Write a local date."""
    return dates.format_date(on, "medium" if language == "en" else "long", locale=_LOCALES[language])


def month(first: date, language: Language) -> str:
    """Write the month of a date."""
    return dates.format_date(first, _MONTHS[language], locale=_LOCALES[language])


def instant(at: datetime, language: Language, timezone: str) -> str:
    """Write an instant as a clock of `timezone` shows it, with what that is ahead of UTC."""
    local = at.astimezone(ZoneInfo(timezone))
    return dates.format_datetime(local, _PATTERNS[language], locale=_LOCALES[language])


def written(cell: Cell, language: Language, timezone: str) -> str:
    """Write any value as a person reads it; nothing where there is none."""
    text = ""
    match cell:
        case Fen(fen):
            text = money(fen)
        case Minutes(minutes):
            text = duration(minutes, language)
        case Count(number):
            text = count(number)
        case Reference(reference):
            text = reference
        case datetime():
            text = instant(cell, language, timezone)
        case date():
            text = day(cell, language)
        case str():
            text = cell
    return text
