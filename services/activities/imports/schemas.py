"""What HTTP callers send and see of imports: the three sheets, and how an import stands."""

from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.documents.cells import one_of, text, whole_number
from shared.documents.columns import Column
from shared.documents.moments import local_instant
from shared.events.activities import EvidenceClass

EVIDENCE = {
    "扫码": EvidenceClass.SCANNED,
    "机构确认": EvidenceClass.ATTESTED,
    "补签": EvidenceClass.CLAIMED,
    "人工": EvidenceClass.MANUAL,
} | {evidence.value: evidence for evidence in EvidenceClass}
REFERENCE = text(max_length=40)


class Kind(StrEnum):
    """What a sheet holds."""

    VOLUNTEERS = "volunteers"
    SHIFTS = "shifts"
    ATTENDANCE = "attendance"


def columns_of(kind: Kind, timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return a sheet's columns in order; instants without an offset are local to `timezone`."""
    if kind is Kind.VOLUNTEERS:
        return VOLUNTEERS
    return shift_columns(timezone) if kind is Kind.SHIFTS else attendance_columns(timezone)


VOLUNTEERS = (
    Column("employee_number", ("员工编号", "employee_number"), REFERENCE),
    Column("display_name", ("显示名", "display_name"), text(max_length=80)),
)


def shift_columns(timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns of the sheet of listings and their shifts, one row a shift."""
    return (
        Column("partner_reference", ("伙伴编号", "partner_reference"), REFERENCE),
        Column("listing_reference", ("活动编号", "listing_reference"), REFERENCE),
        Column("title", ("活动名称", "title"), text(max_length=200)),
        Column("shift_number", ("场次", "shift_number"), whole_number(minimum=1, maximum=10_000)),
        Column("starts_at", ("开始时间", "starts_at"), local_instant(timezone)),
        Column("ends_at", ("结束时间", "ends_at"), local_instant(timezone)),
        Column("capacity", ("名额", "capacity"), whole_number(minimum=1, maximum=10_000)),
    )


def attendance_columns(timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns of the attendance sheet, one row a person and shift."""
    return (
        Column("listing_reference", ("活动编号", "listing_reference"), REFERENCE),
        Column("shift_number", ("场次", "shift_number"), whole_number(minimum=1, maximum=10_000)),
        Column("employee_number", ("员工编号", "employee_number"), REFERENCE),
        Column("checked_in_at", ("签到时间", "checked_in_at"), local_instant(timezone)),
        Column("checked_out_at", ("签退时间", "checked_out_at"), local_instant(timezone), blank=True),
        Column("evidence", ("证据", "evidence"), one_of(EVIDENCE)),
    )


class CellError(BaseModel):
    """What is wrong with one cell: `cell` as C7, and how to mend it in both languages."""

    cell: str
    column: str
    code: str
    expected: str
    found: str
    fix_zh: str
    fix_en: str


class Import(BaseModel):
    """How an import stands. `errors` shows the first two hundred; the reject file has all."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    file_name: str
    good: int
    rejected: int
    errors: list[CellError]
    staged_at: AwareDatetime
    committed_at: AwareDatetime | None
    added: int | None
    unchanged: int | None


class Commit(BaseModel):
    """Whether the good rows are to be brought in although others were rejected."""

    skip_rejected: bool = False
