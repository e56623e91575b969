"""What HTTP callers send and see of imports."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.activities.imports.rules import Kind


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
