"""The rows of imports, in the database of each service that has any (migration bus_0012)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from shared.audit.trail import PRIVATE
from shared.bus.tables import Base


class Import(Base):
    """A sheet that was read and judged, and what became of it; its good rows wait in `import_rows` for the commit.

    The counts with a verb are what the preview showed, those in the past tense what happened. What can name people
    (the file's name, errors, samples, the reject file, staged rows) goes when the import is forgotten.
    """

    __tablename__ = "sheet_import"
    __table_args__ = (
        CheckConstraint("state IN ('staged', 'committing', 'committed', 'failed', 'expired')", name="state"),
        CheckConstraint("(state = 'committed') = (committed_at IS NOT NULL)", name="committed"),
        CheckConstraint(
            "num_nulls(committed_at, created, updated, skipped) IN (0, 4)", name="result"
        ),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
        CheckConstraint("state <> 'committing' OR (run_id IS NOT NULL AND committed_by IS NOT NULL)", name="run"),
        CheckConstraint("state <> 'expired' OR forgotten_at IS NOT NULL", name="expired"),
        CheckConstraint(
            "forgotten_at IS NULL OR (reject_file IS NULL AND file_name IS NULL AND errors = '[]' AND samples = '{}')",
            name="forgotten",
        ),
        CheckConstraint("forgotten_at IS NOT NULL OR (rejects = 0) = (reject_file IS NULL)", name="reject_file"),
        Index("sheet_import_programme_id_id_idx", "programme_id", "id"),
        Index("sheet_import_programme_id_staged_at_id_idx", "programme_id", "staged_at", "id"),
        Index("sheet_import_staged_at_idx", "staged_at", postgresql_where=text("forgotten_at IS NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    file_name: Mapped[str | None] = mapped_column(info=PRIVATE)
    file_kind: Mapped[str]
    timezone: Mapped[str | None]
    creates: Mapped[int] = mapped_column(Integer)
    updates: Mapped[int] = mapped_column(Integer)
    skips: Mapped[int] = mapped_column(Integer)
    rejects: Mapped[int] = mapped_column(Integer)
    errors: Mapped[list[dict[str, Any]]] = deferred(mapped_column(JSONB, nullable=False, info=PRIVATE))
    samples: Mapped[dict[str, list[dict[str, Any]]]] = deferred(mapped_column(JSONB, nullable=False, info=PRIVATE))
    staged_by: Mapped[UUID]
    staged_at: Mapped[datetime]
    committed_by: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    committed_at: Mapped[datetime | None]
    created: Mapped[int | None] = mapped_column(Integer)
    updated: Mapped[int | None] = mapped_column(Integer)
    skipped: Mapped[int | None] = mapped_column(Integer)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    forgotten_at: Mapped[datetime | None]
    reject_file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))


class ImportRows(Base):
    """Some of the good rows of a staged import, in the sheet's order, as JSON (see `shared/imports/packing.py`)."""

    __tablename__ = "sheet_import_rows"
    __table_args__ = (PrimaryKeyConstraint("import_id", "part"),)

    import_id: Mapped[UUID] = mapped_column(ForeignKey(Import.id, ondelete="CASCADE"))
    part: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes] = mapped_column(LargeBinary)
