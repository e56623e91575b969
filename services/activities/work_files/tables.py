"""Rows of the files that are handed in."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.deliverables.tables import Submission
from services.activities.volunteers.tables import Base
from shared.audit.trail import PRIVATE


class WorkFile(Base):
    """A file as it was handed in, `number` counting within its submission; `size` is in bytes.

    Name, hash and content go when the person is erased. The column of the content is stored as it is (EXTERNAL):
    nearly all types are compressed in themselves.
    """

    __tablename__ = "work_file"
    __table_args__ = (
        UniqueConstraint("submission_id", "number"),
        CheckConstraint("number BETWEEN 1 AND 10", name="number"),
        CheckConstraint("size BETWEEN 1 AND 10485760", name="size"),
        CheckConstraint("octet_length(content) = size", name="content"),
        CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name="forgotten"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    submission_id: Mapped[UUID] = mapped_column(ForeignKey(Submission.id))
    number: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(info=PRIVATE)
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[bytes | None]
    content: Mapped[bytes | None] = mapped_column(deferred=True)
