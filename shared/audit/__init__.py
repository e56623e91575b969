"""Who changed what, from what to what, and why: an append-only trail in each service's database.

    from shared import audit
    audit.note(tx, "shift", [audit.Change(shift_id, {"state": "open"}, {"state": "held"})], held=1)

The doors open a trail for each unsafe call and write it in the call's own transaction (`shared/web/routes.py`). Rows
that the ORM writes are seen by themselves; a statement for many rows says what it did with `note`. Without a trail, in
handlers and timers, a note is nothing: what they do follows from facts, which are kept. A task that a person asked for
writes with `carried_out` what it did for them.
"""

from shared.audit.entries import Call, Who, carried_out
from shared.audit.trail import Change, note

__all__ = ["Call", "Change", "Who", "carried_out", "note"]
