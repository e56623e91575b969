"""Factories of certificates: who issues them, and one that was issued."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.certificates import actions
from services.activities.certificates.queries import find_issuer
from services.activities.certificates.tables import Certificate, CertificateIssuer
from services.activities.records.queries import Period
from shared.auth.certificate_keys import CertificateKeys, new_seed
from shared.ids import new_id
from tests.factories.activities import NOON, PROGRAMME

KEYS = CertificateKeys([new_seed()])
JUNE = Period(date(2022, 6, 1), date(2022, 6, 2))


def make_issuer(tx: Session, **overrides: Any) -> CertificateIssuer:
    values = {
        "programme_id": PROGRAMME,
        "version": 1,
        "prefix": f"P{new_id().hex[-7:].upper()}",
        "zh": "跳跳糖基金会",
        "en": "Popcandy Foundation",
        "contact": "certificates@example.org",
        "timezone": "Asia/Shanghai",
    }
    issuer = CertificateIssuer(**values | overrides)
    tx.add(issuer)
    tx.flush()
    return issuer


def make_certificate(
    tx: Session, record: Attendance, *, keys: CertificateKeys = KEYS, period: Period = JUNE, by: UUID | None = None,
    at: datetime = NOON,
) -> Certificate:  # fmt: skip
    """Issue a certificate to somebody who served, by an issuer that is made if there is none."""
    if find_issuer(tx, programme_id=record.programme_id) is None:
        make_issuer(tx, programme_id=record.programme_id)
    wish = actions.Wish(record.programme_id, record.volunteer_id, period, by or record.volunteer_id, at)
    return actions.issue(tx, wish, keys)
