"""Reads and locks of certificates. How one stands is what its row says and what its period's minutes say by now."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from services.activities.certificates.rules import State, state_now
from services.activities.certificates.tables import Certificate, CertificateIssuer
from services.activities.records.queries import Period, add_up
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound

CERTIFICATES = KeysetList(
    key=(Certificate.id,),
    sorts={"issued_at": Sort(Certificate.issued_at), "number": Sort(Certificate.number)},
    filters={
        "volunteer_id": equal(Certificate.volunteer_id, "Of this volunteer."),
        "number": equal(Certificate.number, "With this number."),
        "state": equal(Certificate.state, "In this state, as of last night.", takes=State),
        "issued_from": since(Certificate.issued_on, "Issued on this date or later."),
        "issued_until": until(Certificate.issued_on, "Issued before this date."),
    },
)
MOST_ENDED = 10_000
# A person's attendances are found by way of their places, as in `records`.
_OUTDATED = text("""
    SELECT certificate.id FROM certificate
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(service_minutes), 0) AS minutes FROM attendance
        WHERE shift_id IN (SELECT shift_id FROM sign_up WHERE sign_up.volunteer_id = certificate.volunteer_id)
            AND attendance.volunteer_id = certificate.volunteer_id AND attendance.state = 'settled'
            AND service_on >= service_from AND service_on < service_until) served
    WHERE certificate.state = 'valid' AND served.minutes <> total_minutes
    ORDER BY certificate.id LIMIT :limit
""")


def certificates_of(programme_id: UUID, volunteer_scope: UUID | None) -> Select[Certificate]:
    """Say which certificates a caller of a programme may see: all, or one person's."""
    rows = select(Certificate).where(Certificate.programme_id == programme_id)
    return rows if volunteer_scope is None else rows.where(Certificate.volunteer_id == volunteer_scope)


def get_certificate(
    tx: Session, certificate_id: UUID, *, programme_id: UUID, volunteer_scope: UUID | None
) -> Certificate:  # fmt: skip
    """Return one certificate that a caller may see. Raises NotFound."""
    rows = certificates_of(programme_id, volunteer_scope).where(Certificate.id == certificate_id)
    found = tx.scalars(rows).first()
    if found is None:
        raise NotFound(certificate_id=certificate_id)
    return found


def lock_certificate(tx: Session, certificate_id: UUID, *, programme_id: UUID) -> Certificate:
    """Lock a certificate. Raises NotFound."""
    rows = certificates_of(programme_id, None).where(Certificate.id == certificate_id)
    found = tx.scalars(rows.with_for_update().execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound(certificate_id=certificate_id)
    return found


def find_by_number(tx: Session, number: str) -> Certificate | None:
    """Return a certificate by its number, which is unique over all programmes."""
    return tx.scalars(select(Certificate).where(Certificate.number == number)).first()


def lock_valid(tx: Session, *, volunteer_id: UUID, period: Period) -> Certificate | None:
    """Lock the certificate that stands for a person and period; the person's lock is held."""
    rows = select(Certificate).where(
        Certificate.volunteer_id == volunteer_id, Certificate.service_from == period.since,
        Certificate.service_until == period.until, Certificate.state == State.VALID,
    )  # fmt: skip
    return tx.scalars(rows.with_for_update().execution_options(populate_existing=True)).first()


def lock_outdated(tx: Session, *, limit: int) -> list[Certificate]:
    """Lock certificates whose minutes hold no longer, in order of id, passing over those that somebody decides on."""
    ids = tx.scalars(_OUTDATED, {"limit": limit}).all()
    rows = select(Certificate).where(Certificate.id.in_(ids), Certificate.state == State.VALID)
    return list(tx.scalars(rows.order_by(Certificate.id).with_for_update(skip_locked=True)))


def list_of_person(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Certificate]:
    """Return a person's certificates, oldest first."""
    rows = select(Certificate).where(Certificate.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(Certificate.id).limit(limit)))


def state_of(tx: Session, certificate: Certificate) -> State:
    """Say how a certificate stands now."""
    period = Period(certificate.service_from, certificate.service_until)
    served = add_up(
        tx, programme_id=certificate.programme_id, volunteer_id=certificate.volunteer_id, period=period
    )  # fmt: skip
    return state_now(State(certificate.state), certified=certificate.total_minutes, minutes=served.service_minutes)


def list_ended(tx: Session, *, prefix: str, year: int) -> list[tuple[str, str]]:
    """Return the numbers of certificates that hold no longer, with their states, of one prefix and year."""
    rows = select(Certificate.number, Certificate.state).where(
        Certificate.number.startswith(f"{prefix}-{year}-", autoescape=True)
    )
    rows = rows.where(Certificate.state != State.VALID).order_by(Certificate.number).limit(MOST_ENDED)
    return [(row.number, row.state) for row in tx.execute(rows)]


def find_issuer(tx: Session, *, programme_id: UUID) -> CertificateIssuer | None:
    """Return who issues a programme's certificates."""
    return tx.get(CertificateIssuer, programme_id)


def lock_issuer(tx: Session, *, programme_id: UUID) -> CertificateIssuer | None:
    """Lock who issues a programme's certificates, if that is recorded."""
    rows = select(CertificateIssuer).where(CertificateIssuer.programme_id == programme_id)
    return tx.scalars(rows.with_for_update().execution_options(populate_existing=True)).first()


def lock_prefixes(tx: Session) -> None:
    """Let one programme at a time take a prefix: two must not both find the same one free."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("certificate prefixes", 0))))


def find_owners_of(tx: Session, prefix: str, *, but: UUID) -> Collection[UUID]:
    """Return the other programmes whose certificates begin, or began, with a prefix."""
    rows = select(CertificateIssuer.programme_id).where(CertificateIssuer.prefix == prefix)
    used = select(Certificate.programme_id).where(Certificate.number.startswith(f"{prefix}-", autoescape=True))
    return {each for part in (rows, used.distinct()) for each in tx.scalars(part)} - {but}
