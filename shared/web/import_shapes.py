"""What HTTP callers send and see of imports."""

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from shared.imports.judging import Effect
from shared.imports.queries import Standing
from shared.privacy import retention
from shared.web.fields import Count, Parts, Shown

State = Literal["staged", "committing", "committed", "failed", "expired"]
FAULT = {
    "code": "internal_error",
    "zh": "处理时出错，未导入任何内容；技术人员可以重试",
    "en": "Something is wrong on our side, and nothing was brought in; operators can have it tried again",
    "facts": {},
}


class CellError(BaseModel):
    """What is wrong with one cell: `cell` as C7, and how to mend it in both languages."""

    row: Count
    cell: Shown
    column: Shown
    code: Shown
    expected: Shown
    found: Shown
    fix_zh: Shown
    fix_en: Shown


class Counts(BaseModel):
    """What the preview shows: how many rows would make something new, change something, or say what is known."""

    create: Count
    update: Count
    skip: Count
    rejected: Count


class Result(BaseModel):
    """What the commit did."""

    created: Count
    updated: Count
    skipped: Count


class SampleRow(BaseModel):
    """One row of the preview by column name; `before` is what a change would replace."""

    row: Count
    values: dict[Shown, Shown | Count | None]
    before: dict[Shown, Shown]


class Failure(BaseModel):
    """Why nothing was brought in."""

    code: Shown
    zh: Shown
    en: Shown
    facts: dict[Shown, Shown]


class ImportSummary(BaseModel):
    """How an import stands. `done` of `total` rows are brought in; what the sheet held goes at `kept_until`."""

    id: UUID
    kind: Shown
    state: State
    file_name: Shown | None
    timezone: Shown | None
    preview: Counts
    staged_at: AwareDatetime
    kept_until: AwareDatetime
    done: Count
    total: Count
    committed_at: AwareDatetime | None
    result: Result | None
    failure: Failure | None

    @classmethod
    def of(cls, standing: Standing) -> "ImportSummary":
        """Show a row with its run."""
        return cls.model_validate(_facts(standing))

    @property
    def created(self) -> int | None:
        """How many things the commit made."""
        return None if self.result is None else self.result.created

    @property
    def updated(self) -> int | None:
        """How many things the commit changed."""
        return None if self.result is None else self.result.updated

    @property
    def skipped(self) -> int | None:
        """How many rows said what was known when they were committed."""
        return None if self.result is None else self.result.skipped

    @property
    def failure_code(self) -> str | None:
        """Why nothing was brought in."""
        return None if self.failure is None else self.failure.code


class Import(ImportSummary):
    """How an import stands, with its preview.

    `errors` shows the first two hundred, the reject file has all; `samples` the first ten rows of each effect.
    """

    samples: dict[Effect, Parts[SampleRow]]
    errors: Parts[CellError]

    @classmethod
    def of(cls, standing: Standing) -> "Import":
        """Show a row with its run."""
        row = standing.row
        samples = {effect: row.samples.get(effect, []) for effect in Effect}
        errors = [{"row": _row_of(error), **error} for error in row.errors]
        return cls.model_validate(_facts(standing) | {"samples": samples, "errors": errors})


class Commit(BaseModel):
    """Whether the good rows are to be brought in although others were rejected."""

    skip_rejected: bool = False


def _facts(standing: Standing) -> dict[str, Any]:
    """Put a row and its run together."""
    row, run = standing.row, standing.run
    total = row.creates + row.updates + row.skips
    is_broken = standing.state != row.state
    told = run.progress_done or 0 if run is not None and row.state == "committing" else 0
    return {
        "id": row.id,
        "kind": row.kind,
        "state": standing.state,
        "file_name": row.file_name,
        "timezone": row.timezone,
        "preview": {"create": row.creates, "update": row.updates, "skip": row.skips, "rejected": row.rejects},
        "staged_at": row.staged_at,
        "kept_until": row.staged_at + retention.age("imports"),
        "done": total if row.state == "committed" else told,
        "total": total,
        "committed_at": row.committed_at,
        "result": _result(row.created, row.updated, row.skipped),
        "failure": FAULT if is_broken else row.failure,
    }


def _row_of(error: dict[str, Any]) -> int:
    """Read the row from the cell; errors of older imports do not say it."""
    return int("".join(letter for letter in error["cell"] if letter.isdigit()))


def _result(created: int | None, updated: int | None, skipped: int | None) -> Result | None:
    if created is None or updated is None or skipped is None:
        return None
    return Result(created=created, updated=updated, skipped=skipped)
