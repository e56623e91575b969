"""What can be done with certificates: issue, supersede, revoke. What was issued changes in nothing but its state."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.activities.certificates import queries, rules
from services.activities.certificates.rules import Command, State
from services.activities.certificates.tables import Certificate, CertificateCount, CertificateIssuer
from services.activities.records.queries import Period, Service, list_services
from services.activities.volunteers.queries import lock_volunteer
from services.activities.volunteers.tables import Volunteer
from shared.audit import note
from shared.auth.certificate_keys import CertificateKeys
from shared.documents import certificates
from shared.documents.certificates import Signed, Statement
from shared.ids import new_id
from shared.seen import Seen
from shared.zones import zone

AT_ONCE = 500  # Certificates that one run of the timer looks at.
SALT_BYTES = 16
_FORGET = text("""
    UPDATE certificate SET content = NULL WHERE volunteer_id = :volunteer_id AND content IS NOT NULL RETURNING id
""")


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """Who issues a programme's certificates."""

    prefix: str
    zh: str
    en: str
    contact: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose service in which period is to be certified, at whose wish."""

    programme_id: UUID
    volunteer_id: UUID
    period: Period
    by: UUID
    at: datetime


def record_issuer(tx: Session, facts: IssuerFacts, *, programme_id: UUID, seen: Seen) -> CertificateIssuer:
    """Note who issues a programme's certificates, or what changed about it; those that were issued stay as they are.

    Raises ReadFirst, ChangedSince, UnknownTimezone, PrefixTaken.
    """
    zone(facts.timezone)
    issuer = queries.lock_issuer(tx, programme_id=programme_id)
    queries.lock_prefixes(tx)
    if queries.find_owners_of(tx, facts.prefix, but=programme_id):
        raise rules.PrefixTaken(field="prefix")
    if issuer is None:
        seen.require_none()
        issuer = CertificateIssuer(programme_id=programme_id, version=0)
    else:
        seen.require(issuer)
    for name, value in asdict(facts).items():
        setattr(issuer, name, value)
    issuer.version += 1
    tx.add(issuer)
    tx.flush()
    return issuer


def issue(tx: Session, wish: Wish, keys: CertificateKeys | None) -> Certificate:
    """Certify what a person has served in a period; as long as it holds, again returns the same certificate.

    One of the same period that holds no longer is superseded. Raises NotFound, NoIssuer, NotSetUp, BadPeriod,
    NothingToCertify, TooManyServices.
    """
    if keys is None:
        raise rules.NotSetUp
    person = lock_volunteer(tx, programme_id=wish.programme_id, volunteer_id=wish.volunteer_id)
    issuer = queries.find_issuer(tx, programme_id=wish.programme_id)
    if issuer is None:
        raise rules.NoIssuer
    today = wish.at.astimezone(zone(issuer.timezone)).date()
    since, until = _bounds(wish.period)
    rules.require_period(since, until, today=today)
    services = list_services(
        tx, programme_id=wish.programme_id, volunteer_id=person.id, period=wish.period, limit=rules.MOST_SERVICES + 1
    )
    rules.require_services(len(services), minutes=sum(each.service_minutes for each in services))
    known = queries.lock_valid(tx, volunteer_id=person.id, period=wish.period)
    if known is not None:
        if queries.state_of(tx, known) is State.VALID:
            return known
        _end(known, Command.SUPERSEDE, by=wish.by, at=wish.at)
        tx.flush()  # Before the new one comes: of a person and period only one is valid.
    return _added(tx, wish, person, issuer, services, today=today, keys=keys)


def revoke(
    tx: Session, certificate_id: UUID, *, programme_id: UUID, seen: Seen, because: str, by: UUID, now: datetime
) -> Certificate:  # fmt: skip
    """Take a certificate back for good, also one that was superseded.

    Raises NotFound, ChangedSince, CertificateRevoked.
    """
    certificate = queries.lock_certificate(tx, certificate_id, programme_id=programme_id)
    seen.require(certificate)
    _end(certificate, Command.REVOKE, by=by, at=now)
    certificate.revoked_because = because
    tx.flush()
    return certificate


def supersede_outdated(tx: Session, *, now: datetime) -> int:
    """Mark certificates whose minutes hold no longer, some hundreds at a time; return how many.

    Where one stands alone is known without this; lists and revocation lists go by it.
    """
    found = queries.lock_outdated(tx, limit=AT_ONCE)
    ended = [each for each in found if queries.state_of(tx, each) is State.SUPERSEDED]  # Once more, now that it waits.
    for certificate in ended:
        _end(certificate, Command.SUPERSEDE, by=None, at=now)
    tx.flush()
    return len(ended)


def forget_content(tx: Session, *, volunteer_id: UUID) -> int:
    """Take out what certificates show of a person; numbers, periods and totals stay. The person's lock is held."""
    forgotten = tx.execute(_FORGET, {"volunteer_id": volunteer_id}).all()
    note(tx, "certificate", (), forgotten=len(forgotten))
    return len(forgotten)


def signed_of(certificate: Certificate) -> Signed:
    """Return a certificate's statement with its signature."""
    return Signed(certificate.statement, certificate.signature)


def has_code(certificate: Certificate, code: str) -> bool:
    """Say whether somebody knows a certificate's code, however they write it; it takes as long for any wrong one."""
    return hmac.compare_digest(signed_of(certificate).code.encode(), code.strip().upper().encode())


def _end(certificate: Certificate, command: Command, *, by: UUID | None, at: datetime) -> None:
    certificate.state = rules.state_after(State(certificate.state), command)
    certificate.version += 1
    certificate.ended_by, certificate.ended_at = by, at


def _bounds(period: Period) -> tuple[date, date]:
    if period.since is None or period.until is None:
        raise rules.BadPeriod(field="service_from", expected="a date")
    return period.since, period.until


def _added(
    tx: Session, wish: Wish, person: Volunteer, issuer: CertificateIssuer, services: Sequence[Service], *, today: date,
    keys: CertificateKeys,
) -> Certificate:  # fmt: skip
    count = _counted(tx, programme_id=wish.programme_id, year=today.year)
    number = rules.number_of(issuer.prefix, today.year, count)
    content = _content(number, wish, person, issuer, services, today=today)
    minutes = sum(each.service_minutes for each in services)
    since, until = _bounds(wish.period)
    statement = Statement(
        number=number, programme=str(wish.programme_id), service_from=since.isoformat(),
        service_until=until.isoformat(), minutes=minutes, issued_on=today.isoformat(),
        key=keys.newest, content=certificates.digest_of(content),
    )  # fmt: skip
    signed = certificates.signed(statement, partial(keys.sign, key_id=keys.newest))
    certificate = Certificate(
        id=new_id(), programme_id=wish.programme_id, volunteer_id=person.id, version=1, number=number,
        service_from=since, service_until=until, services=len(services), total_minutes=minutes,
        statement=signed.statement, signature=signed.signature, key_id=keys.newest, content=content,
        state=State.VALID.value, issued_on=today, issued_by=wish.by, issued_at=wish.at,
    )  # fmt: skip
    tx.add(certificate)
    tx.flush()
    return certificate


def _counted(tx: Session, *, programme_id: UUID, year: int) -> int:
    """Count one more of a programme and year; whoever counts is waited for, so that no number is left out."""
    rows = insert(CertificateCount).values(programme_id=programme_id, year=year, issued=1)
    rows = rows.on_conflict_do_update(
        index_elements=["programme_id", "year"], set_={"issued": CertificateCount.issued + 1}
    )
    return tx.scalars(rows.returning(CertificateCount.issued)).one()


def _content(
    number: str, wish: Wish, person: Volunteer, issuer: CertificateIssuer, services: Sequence[Service], *, today: date
) -> dict[str, object]:  # fmt: skip
    """Write down all that a certificate shows; the salt keeps its digest from being tried out with names."""
    return {
        "salt": secrets.token_hex(SALT_BYTES),
        "number": number,
        "display_name": person.display_name,
        "volunteer_number": str(person.id),
        "service_from": str(wish.period.since),
        "service_until": str(wish.period.until),
        "total_minutes": sum(each.service_minutes for each in services),
        "issued_on": today.isoformat(),
        "issuer": {"zh": issuer.zh, "en": issuer.en, "contact": issuer.contact, "timezone": issuer.timezone},
        "services": [
            [each.service_on.isoformat(), each.title, each.partner, each.service_minutes, each.evidence]
            for each in services
        ],
    }
