"""Logs as JSON facts, and the trace that joins a request to all that follows from it.

The trace context is W3C's `traceparent`; it is bound at each door, written beside each event and bound again by its
handler.
"""

import logging
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
# Not beside a hexadecimal digit: ids and traces must stay whole, or nothing can be found by them.
_MOBILE = re.compile(r"(?<![0-9a-f])((?:86)?1[3-9]\d)\d{4}(\d{4})(?![0-9a-f])")
_ID_NUMBER = re.compile(r"(?<![0-9a-f])(\d{6})\d{8}(\d{3}[\dXx])(?![0-9a-f])")
_EMAIL = re.compile(r"[\w.+-]{1,64}@([\w-]+(?:\.[\w-]+)+)")
# What PostgreSQL says of a row that it refuses; a driver's exception repeats it.
_ROW_VALUES = re.compile(r"(Key \([^)\n]*\)=|Failing row contains )\([^\n]*\)")
# Names of facts whose value is somebody's, whatever it looks like; `fact_display_name` and `old_email` count as well.
PERSONAL_FIELDS = frozenset({
    "display_name", "real_name", "full_name", "file_name", "employee_number", "employee_numbers", "phone", "mobile",
    "email", "id_number", "postal_address", "bank_account",
})  # fmt: skip
HIDDEN = "***"
_trace: ContextVar[str | None] = ContextVar("trace", default=None)  # As bound for the logs, and read for less.


def configure_logging(*, level: str) -> None:
    """Write one JSON object per line to standard error, from structlog and from libraries alike."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_personal_data,  # Last: an exception's text quotes the values of its statement.
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn.access", "pika", "httpx2", "httpcore2", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger() -> FilteringBoundLogger:
    """Return the logger; what is bound at the door appears on each of its lines."""
    return cast("FilteringBoundLogger", structlog.get_logger())


def mask_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide what is somebody's, should it ever reach a log; in nested values too.

    By name, whole: `PERSONAL_FIELDS`. By shape, wherever it stands: mobile and identity numbers, e-mail addresses, and
    the values of a row that PostgreSQL refuses.
    """
    return {name: _masked(name, value) for name, value in event.items()}


def _masked(name: str, value: object) -> object:
    """Mask text wherever it stands; numbers stay, for an amount in fen may look like a mobile number."""
    if value is not None and _is_personal(name):
        return HIDDEN
    if isinstance(value, str):
        return without_personal_data(value)
    if isinstance(value, Mapping):
        return {key: _masked(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", each) for each in value]
    return value


def _is_personal(name: str) -> bool:
    return name in PERSONAL_FIELDS or any(name.endswith(f"_{field}") for field in PERSONAL_FIELDS)


def without_personal_data(value: str) -> str:
    """Hide in a text what can be told by its shape: for logs, and for what dead letters and failed runs say."""
    masked = _ID_NUMBER.sub(r"\1********\2", _MOBILE.sub(r"\1****\2", value))
    return _ROW_VALUES.sub(rf"\1({HIDDEN})", _EMAIL.sub(rf"{HIDDEN}@\1", masked))


@contextmanager
def trace(traceparent: str | None) -> Iterator[str]:
    """Bind the trace that `traceparent` belongs to, a new one if there is none or it is malformed; yield its id."""
    given = trace_id_of(traceparent) or secrets.token_hex(16)
    before = _trace.set(given)
    try:
        with bound_contextvars(trace_id=given):
            yield given
    finally:
        _trace.reset(before)


def trace_id_of(traceparent: str | None) -> str | None:
    """Read the trace's id from a `traceparent`; None if there is none, or it is malformed."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None


def trace_id() -> str | None:
    """Return the id of the bound trace, if one is."""
    return _trace.get()


def traceparent() -> str:
    """Return the trace context to send along, of the bound trace or of a new one."""
    return f"00-{trace_id() or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
