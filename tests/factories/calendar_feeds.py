"""Factory of calendar feeds."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.activities.calendar_feeds import rules
from services.activities.calendar_feeds.tables import CalendarFeed
from shared.ids import new_id
from tests.factories.activities import NINE, PROGRAMME

SECRET = "a-secret-of-the-tests"  # noqa: S105  It protects nothing.


def make_feed(tx: Session, *, secret: str | None = None, **overrides: Any) -> CalendarFeed:
    """Make a feed of a volunteer or of a partner if it is given, else of the whole programme."""
    kind = next((kind for kind in ("volunteer", "partner") if overrides.get(f"{kind}_id")), "programme")
    values = {
        "id": new_id(),
        "programme_id": PROGRAMME,
        "person_id": overrides.get("volunteer_id") or new_id(),
        "kind": kind,
        "language": "en",
        "secret_hash": rules.hash_of(secret or f"{SECRET}-{new_id()}"),
        "requested_at": NINE,
        "expires_at": None if kind == "volunteer" else NINE + timedelta(days=366),
    }
    feed = CalendarFeed(**values | overrides)
    tx.add(feed)
    tx.flush()
    return feed
