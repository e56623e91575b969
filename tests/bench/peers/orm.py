"""One fact a transaction through SQLAlchemy's ORM, as the peers with an ORM share it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.ledger.donations.tables import Donation
from services.ledger.journal.tables import Balance, Entry, Leg
from services.ledger.policies.rules import Terms, price
from services.ledger.policies.tables import PolicyVersion
from shared import clock
from shared.bus.tables import Inbox
from shared.events.activities import AttendanceSettled
from shared.ids import new_id

HANDLER = "ledger.accrue_donations"


def accrue(session: Session, event_id: UUID, body: str) -> None:
    """Price a fact and write what it comes to, once: mark, entry, two legs, donation, two balances."""
    if session.get(Inbox, (event_id, HANDLER)) is not None:
        return
    fact = AttendanceSettled.model_validate_json(body)
    terms = _terms(session, fact)
    priced = price(minutes=fact.matchable_minutes, terms=terms)
    session.add(Inbox(event_id=event_id, handler=HANDLER, type=fact.type, body=body.encode()))
    entry_id = new_id() if priced.fen else None
    if entry_id is not None:
        _post(session, entry_id, fact, priced.fen)
    session.add(
        Donation(
            id=new_id(), version=fact.version, state="settled", attendance_id=fact.attendance_id,
            programme_id=fact.programme_id, partner_id=fact.partner_id, listing_id=fact.listing_id,
            shift_id=fact.shift_id, volunteer_id=fact.volunteer_id, started_at=fact.started_at,
            service_on=fact.service_on, evidence=fact.evidence.value, recorded_minutes=fact.service_minutes,
            matchable_minutes=fact.matchable_minutes, below_minimum_minutes=priced.below_minimum_minutes,
            above_ceiling_minutes=priced.above_ceiling_minutes, step_rounding_minutes=priced.step_rounding_minutes,
            credited_minutes=priced.credited_minutes, fen=priced.fen, policy_version_id=terms.policy_version_id,
            entry_id=entry_id, decided_at=clock.now(), superseded_at=None,
        )
    )  # fmt: skip


def _terms(session: Session, fact: AttendanceSettled) -> Terms:
    version = session.scalars(
        select(PolicyVersion).where(
            PolicyVersion.programme_id == fact.programme_id,
            PolicyVersion.approved_at.is_not(None),
            PolicyVersion.effective.contains(fact.started_at),
        )
    ).one()
    assert version.effective.lower is not None
    return Terms(
        version.id, version.programme_id, version.effective.lower, version.effective.upper, version.fen_per_hour,
        version.step_minutes, version.min_minutes, version.max_minutes,
    )  # fmt: skip


def _post(session: Session, entry_id: UUID, fact: AttendanceSettled, fen: int) -> None:
    amounts = {"2110": -fen, "5110": fen}
    session.add_all(
        Leg(entry_id=entry_id, line=line, leg_count=2, account=account, partner_id=fact.partner_id, fen=amount)
        for line, (account, amount) in enumerate(amounts.items(), start=1)
    )
    session.flush()  # The tables' guard wants the legs first.
    session.add(
        Entry(
            id=entry_id, programme_id=fact.programme_id, kind="accrual", source_type="attendance",
            source_id=fact.attendance_id, source_version=fact.version, reversal_of=None, leg_count=2,
            effective_on=fact.service_on, posted_at=clock.now(), currency="CNY",
        )
    )  # fmt: skip
    session.flush()
    for account, amount in amounts.items():
        row = insert(Balance).values(
            programme_id=fact.programme_id, account=account, partner_id=fact.partner_id, fen=amount
        )
        session.execute(
            row.on_conflict_do_update(constraint="balance_pkey", set_={"fen": Balance.fen + row.excluded.fen})
        )
