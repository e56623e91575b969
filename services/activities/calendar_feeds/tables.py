"""Rows of calendar feeds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.partners.tables import Partner
from services.activities.volunteers.tables import Base, Volunteer


class CalendarFeed(Base):
    """That calendar programs may read shifts at a secret address, for `person_id`, who asked for it.

    Of the address only a hash is kept, and of one that was revoked not even that. Those of more than one person's
    places end by themselves.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (
        CheckConstraint("kind IN ('volunteer', 'partner', 'programme')", name="kind"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint("(kind = 'volunteer') = (volunteer_id IS NOT NULL)", name="volunteer"),
        CheckConstraint("(kind = 'partner') = (partner_id IS NOT NULL)", name="partner"),
        CheckConstraint("(kind = 'volunteer') = (expires_at IS NULL)", name="expires"),
        CheckConstraint("(revoked_at IS NULL) = (secret_hash IS NOT NULL)", name="revoked"),
        Index("calendar_feed_secret_hash_key", "secret_hash", unique=True),
        Index("calendar_feed_programme_id_id_idx", "programme_id", "id"),
        Index("calendar_feed_partner_id_id_idx", "partner_id", "id"),
        Index("calendar_feed_person_id_id_idx", "person_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    person_id: Mapped[UUID]
    kind: Mapped[str]
    partner_id: Mapped[UUID | None] = mapped_column(ForeignKey(Partner.id))
    volunteer_id: Mapped[UUID | None] = mapped_column(ForeignKey(Volunteer.id))
    language: Mapped[str]
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
