"""What auditors read: who changed what, from what to what, when and why; and who was denied."""

from collections.abc import Sized
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.audit import tables
from shared.audit.entries import entries_of
from shared.auth.callers import Caller
from shared.database.keyset import KeysetList, Sort, equal, holding, since, until
from shared.errors import Title
from shared.web.doors import Tx, may
from shared.web.fields import Count, Parts, Shown, Text
from shared.web.lists import Answer, Asked, Listed
from shared.web.routes import Router

Auditor = Annotated[Caller, Depends(may("audit.read"))]
Outcome = Literal["done", "denied"]
ThingId = Annotated[Text, Field(max_length=200)]


class ChangedThing(BaseModel):
    """One thing from what it was to what it became; only values that differ, null where it did not exist."""

    model_config = ConfigDict(populate_by_name=True)

    thing: Shown
    id: Shown
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
    service: Shown | None
    roles: Parts[Shown]
    operation: Shown
    outcome: Outcome
    refusal: Shown | None
    repeats: Count
    thing: Shown | None
    thing_id: Shown | None
    changes: Parts[ChangedThing]
    counts: dict[str, dict[str, Count]]
    reason: Shown | None
    trace_id: Shown | None

    @property
    def role_names(self) -> str:
        """The roles, as a cell holds them."""
        return ", ".join(self.roles)

    @property
    def changes_json(self) -> str | None:
        """The changes, as a cell holds them; None if none is shown."""
        return _json([change.model_dump(by_alias=True) for change in self.changes])

    @property
    def counts_json(self) -> str | None:
        """The counts, as a cell holds them; None if nothing was changed."""
        return _json(self.counts)


def _json(values: Sized) -> str | None:
    return orjson.dumps(values).decode() if values else None


TRAIL = KeysetList(
    key=(tables.AuditEntry.id,),
    sorts={"at": Sort(tables.AuditEntry.at)},
    filters={
        "person_id": equal(tables.AuditEntry.person_id, "Called by this person."),
        "thing_id": holding(
            tables.AuditEntry.things, "Addressed to the thing of this id, or changed it.", takes=ThingId
        ),
        "operation": equal(tables.AuditEntry.operation, "Of this operation, as `correct_attendance`."),
        "outcome": equal(tables.AuditEntry.outcome, "Carried out, or denied.", takes=Outcome),
        "at_from": since(tables.AuditEntry.at, "At this instant or later."),
        "at_until": until(tables.AuditEntry.at, "Before this instant."),
    },
    default_sort="-at",
)
AUDIT_ENTRIES = Listed(
    TRAIL,
    AuditEntry,
    file="audit-entries",
    title=Title(zh="审计记录", en="Audit entries"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "at": Title(zh="时间", en="At"),
        "person_id": Title(zh="操作人编号", en="Person id"),
        "service": Title(zh="代为调用的服务", en="Calling service"),
        "role_names": Title(zh="角色", en="Roles"),
        "operation": Title(zh="操作", en="Operation"),
        "outcome": Title(zh="结果", en="Outcome"),
        "refusal": Title(zh="拒绝代码", en="Refusal"),
        "repeats": Title(zh="另有同类拒绝", en="Further denials"),
        "thing": Title(zh="对象类型", en="Thing"),
        "thing_id": Title(zh="对象编号", en="Thing id"),
        "changes_json": Title(zh="变更（JSON）", en="Changes (JSON)"),
        "counts_json": Title(zh="变更数（JSON）", en="Counts (JSON)"),
        "reason": Title(zh="理由", en="Reason"),
        "trace_id": Title(zh="跟踪编号", en="Trace id"),
    },
)


router = Router(prefix="/audit-entries", tags=["operations"])


@router.get("", operation_id="list_audit_entries", response_model=AUDIT_ENTRIES.page, responses=AUDIT_ENTRIES.responses)
def list_audit_entries(caller: Auditor, asked: Annotated[Asked, Depends(AUDIT_ENTRIES.asked)], tx: Tx) -> Answer:
    """List who changed what in the programme, and who was denied access, newest first."""
    return AUDIT_ENTRIES.answer(asked, tx, caller, entries_of(caller.programme_id))
