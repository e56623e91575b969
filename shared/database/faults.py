"""What an error of the database means for whoever wanted something of it."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

LOCK_TIMEOUT = "55P03"
TRANSIENT_STATES = {"40001", "40P01", LOCK_TIMEOUT}  # Serialization failure, deadlock.
TRANSIENT_CLASSES = {"08", "53"}  # Connection, resources.
SHUTTING_DOWN = "57P"  # The server ends, or ended our session.
TOO_LONG = {"57014", "25P04"}  # Statement, transaction: this may pass for a person, not for what is always slow.


def is_transient(error: BaseException) -> bool:
    """Say whether the same work may succeed later without anybody changing it: the database was away or busy."""
    return is_away(error) or (isinstance(error, DBAPIError) and state_of(error) in TRANSIENT_STATES)


def is_away(error: BaseException) -> bool:
    """Say whether the database itself was not to be had, whatever the work."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = state_of(error)
    if state is None:
        return error.connection_invalidated or type(error).__name__ in {"OperationalError", "InterfaceError"}
    return state[:2] in TRANSIENT_CLASSES or state.startswith(SHUTTING_DOWN)


def is_lock_timeout(error: DBAPIError) -> bool:
    """Say whether somebody else has held what was to be locked for too long."""
    return state_of(error) == LOCK_TIMEOUT


def may_pass(error: BaseException) -> bool:
    """Say whether to wait rather than to give up: transient, or a statement that took too long this time."""
    return is_transient(error) or (isinstance(error, DBAPIError) and state_of(error) in TOO_LONG)


def state_of(error: DBAPIError) -> str | None:
    """Return PostgreSQL's SQLSTATE, None if the connection itself failed."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def describe(error: DBAPIError) -> str:
    """Name an error without the values in it, which may be personal: its kind, SQLSTATE and constraint."""
    diagnosis = getattr(error.orig, "diag", None)
    parts = (type(error.orig).__name__, state_of(error), getattr(diagnosis, "constraint_name", None))
    return " ".join(part for part in parts if part)
