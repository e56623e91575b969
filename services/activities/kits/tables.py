"""Rows of kits, of where they are sent, and of what was agreed of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.activities.listings.tables import Listing, Shift
from services.activities.partners.tables import Partner
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Base, Volunteer
from shared.audit.trail import PRIVATE


class KitTerms(Base):
    """What is sent to people of an activity, what one may cost the programme at most, and when it is due back.

    As it was published; `due_days` are working days after the shift's end.
    """

    __tablename__ = "kit_terms"
    __table_args__ = (CheckConstraint("ceiling_fen >= 0 AND due_days > 0", name="amounts"),)

    listing_id: Mapped[UUID] = mapped_column(ForeignKey(Listing.id), primary_key=True)
    programme_id: Mapped[UUID]
    contents: Mapped[str]
    ceiling_fen: Mapped[int] = mapped_column(BigInteger)
    due_days: Mapped[int] = mapped_column(Integer)


class Kit(Base):
    """A kit for one place. `lost_by` is None where the calendar gave it up; `cleared_at` is when it ceased to restrict.

    A place has one that was not cancelled. Notes, reasons, carrier and number are emptied when the person is erased.
    """

    __tablename__ = "kit"
    __table_args__ = (
        CheckConstraint(
            "state IN ('issued', 'shipped', 'received', 'returned', 'overdue', 'lost', 'cancelled')", name="state"
        ),
        CheckConstraint("cancelled_because IN ('place_gone', 'not_shipped', 'by_host')", name="cancelled_because"),
        CheckConstraint("(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="cancelled"),
        CheckConstraint("(state = 'returned') = (pieces IS NOT NULL)", name="returned"),
        CheckConstraint("(state IN ('issued', 'cancelled')) = (shipped_at IS NULL)", name="shipped"),
        CheckConstraint("state <> 'received' OR received_at IS NOT NULL", name="received"),
        CheckConstraint("(overdue_at IS NULL) = (lose_at IS NULL)", name="lose_at"),
        CheckConstraint("state NOT IN ('overdue', 'lost') OR overdue_at IS NOT NULL", name="overdue"),
        CheckConstraint("state <> 'lost' OR lost_at IS NOT NULL", name="lost"),
        CheckConstraint("(cleared_at IS NULL) = (cleared_by IS NULL)", name="cleared"),
        CheckConstraint("pieces >= 0", name="pieces"),
        Index("kit_sign_up_id_key", "sign_up_id", unique=True, postgresql_where=text("state <> 'cancelled'")),
        Index("kit_programme_id_id_idx", "programme_id", "id"),
        Index("kit_programme_id_due_at_id_idx", "programme_id", "due_at", "id"),
        Index("kit_partner_id_id_idx", "partner_id", "id"),
        Index("kit_volunteer_id_id_idx", "volunteer_id", "id"),
        Index("kit_shift_id_idx", "shift_id"),
        Index("kit_due_at_idx", "due_at", postgresql_where=text("state IN ('issued', 'shipped', 'received')")),
        Index("kit_lose_at_idx", "lose_at", postgresql_where=text("state = 'overdue'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    programme_id: Mapped[UUID]
    sign_up_id: Mapped[UUID] = mapped_column(ForeignKey(SignUp.id))
    shift_id: Mapped[UUID] = mapped_column(ForeignKey(Shift.id))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey(KitTerms.listing_id))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey(Partner.id))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey(Volunteer.id))
    state: Mapped[str] = mapped_column(server_default="issued")
    due_at: Mapped[datetime]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    carrier: Mapped[str | None] = mapped_column(info=PRIVATE)
    tracking_number: Mapped[str | None] = mapped_column(info=PRIVATE)
    shipped_by: Mapped[UUID | None]
    shipped_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None]
    received_at: Mapped[datetime | None]
    receipt_note: Mapped[str | None] = mapped_column(info=PRIVATE)
    overdue_at: Mapped[datetime | None]
    lose_at: Mapped[datetime | None]
    lost_by: Mapped[UUID | None]
    lost_at: Mapped[datetime | None]
    lost_because: Mapped[str | None] = mapped_column(info=PRIVATE)
    returned_by: Mapped[UUID | None]
    returned_at: Mapped[datetime | None]
    pieces: Mapped[int | None] = mapped_column(Integer)
    return_note: Mapped[str | None] = mapped_column(info=PRIVATE)
    cancelled_at: Mapped[datetime | None]
    cancelled_because: Mapped[str | None]
    cleared_by: Mapped[UUID | None]
    cleared_at: Mapped[datetime | None]
    cleared_because: Mapped[str | None] = mapped_column(info=PRIVATE)


class KitAddress(Base):
    """Where a kit is sent. It goes when the kit has arrived, is given up or cancelled, and with the person."""

    __tablename__ = "kit_address"

    kit_id: Mapped[UUID] = mapped_column(ForeignKey(Kit.id), primary_key=True)
    recipient: Mapped[str] = mapped_column(info=PRIVATE)
    phone: Mapped[str] = mapped_column(info=PRIVATE)
    postal_address: Mapped[str] = mapped_column(info=PRIVATE)
    given_at: Mapped[datetime]
