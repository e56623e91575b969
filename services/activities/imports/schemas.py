"""What HTTP callers send and see of imports."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.activities.imports.rules import Kind
from shared.web.fields import Count, Flag, Items, Shown


class CellError(BaseModel):
    """What is wrong with one cell: `cell` as C7, and how to mend it in both languages."""

    cell: Shown
    column: Shown
    code: Shown
    expected: Shown
    found: Shown
    fix_zh: Shown
    fix_en: Shown


class Import(BaseModel):
    """How an import stands. `errors` shows the first two hundred; the reject file has all."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    file_name: Shown
    good: Count
    rejected: Count
    errors: Items[CellError]
    staged_at: AwareDatetime
    committed_at: AwareDatetime | None
    added: Count | None
    unchanged: Count | None


class Commit(BaseModel):
    """Whether the good rows are to be brought in although others were rejected."""

    model_config = ConfigDict(extra="forbid")

    skip_rejected: Flag = False
