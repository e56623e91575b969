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
from typing import Any, cast

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
# Not beside a hexadecimal digit: ids and traces must stay whole, or nothing can be found by them.
_MOBILE = re.compile(r"(?<![0-9a-f])((?:86)?1[3-9]\d)\d{4}(\d{4})(?![0-9a-f])")
_ID_NUMBER = re.compile(r"(?<![0-9a-f])(\d{6})\d{8}(\d{3}[\dXx])(?![0-9a-f])")


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
                mask_personal_numbers,  # Last: an exception's text quotes the values of its statement.
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


def mask_personal_numbers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide the middle of mobile and identity numbers, should one ever reach a log; in nested values too."""
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: object) -> object:
    """Mask text wherever it stands; numbers stay, for an amount in fen may look like a mobile number."""
    if isinstance(value, str):
        return _ID_NUMBER.sub(r"\1********\2", _MOBILE.sub(r"\1****\2", value))
    if isinstance(value, Mapping):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    return value


@contextmanager
def trace(traceparent: str | None) -> Iterator[str]:
    """Bind the trace that `traceparent` belongs to, a new one if there is none or it is malformed; yield its id."""
    trace_id = trace_id_of(traceparent) or secrets.token_hex(16)
    with bound_contextvars(trace_id=trace_id):
        yield trace_id


def trace_id_of(traceparent: str | None) -> str | None:
    """Read the trace's id from a `traceparent`; None if there is none, or it is malformed."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None


def traceparent() -> str:
    """Return the trace context to send along, of the bound trace or of a new one."""
    return f"00-{get_contextvars().get('trace_id') or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
