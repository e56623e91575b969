"""What auditors read: who changed what, from what to what, when and why; and who was denied."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.audit.entries import Wanted, list_entries
from shared.auth.callers import Caller
from shared.web.doors import Tx, may
from shared.web.fields import Instant, Text
from shared.web.routes import Router

Auditor = Annotated[Caller, Depends(may("audit.read"))]


class AuditQuery(BaseModel):
    """Which entries to list; `until` is excluded, `after` is a page's `next`."""

    model_config = ConfigDict(extra="forbid")

    person_id: UUID | None = None
    thing_id: Text | None = Field(default=None, max_length=200)
    operation: Text | None = Field(default=None, max_length=100)
    outcome: Literal["done", "denied"] | None = None
    since: Instant | None = None
    until: Instant | None = None
    after: UUID | None = None
    limit: int = Field(default=50, ge=1, le=200)

    def wanted(self) -> Wanted:
        """Say the same to a query."""
        return Wanted(**self.model_dump(exclude={"after", "limit"}))


class ChangedThing(BaseModel):
    """One thing from what it was to what it became; only values that differ, null where it did not exist."""

    model_config = ConfigDict(populate_by_name=True)

    thing: str
    id: str
    from_: dict[str, Any] | None = Field(alias="from")
    to: dict[str, Any] | None


class AuditEntry(BaseModel):
    """One call that was carried out, or access that was denied.

    `counts` says how many things of each kind were changed and how; of many, `changes` shows none. `repeats` counts
    denials of the same kind that have no entry of their own.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: AwareDatetime
    person_id: UUID
    service: str | None
    roles: list[str]
    operation: str
    outcome: Literal["done", "denied"]
    refusal: str | None
    repeats: int
    thing: str | None
    thing_id: str | None
    changes: list[ChangedThing]
    counts: dict[str, dict[str, int]]
    reason: str | None
    trace_id: str | None


class AuditEntries(BaseModel):
    """A page of entries, newest first; `next` is the `after` of the following one."""

    items: list[AuditEntry]
    next: UUID | None


router = Router(prefix="/audit-entries", tags=["operations"])


@router.get("", operation_id="list_audit_entries")
def list_audit_entries(caller: Auditor, tx: Tx, asked: Annotated[AuditQuery, Query()]) -> AuditEntries:
    """List who changed what in the programme, and who was denied access, newest first."""
    rows = list_entries(
        tx, asked.wanted(), programme_id=caller.programme_id, after=asked.after, limit=asked.limit
    )  # fmt: skip
    items = [AuditEntry.model_validate(row) for row in rows]
    return AuditEntries(items=items, next=rows[-1].id if len(rows) == asked.limit else None)
