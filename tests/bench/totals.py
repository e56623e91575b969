"""Whether a ledger holds what it was told: each fact once, to the fen, by attendance and by partner."""

from collections import Counter
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Connection, text

from services.ledger.journal.rules import Account
from shared.events.activities import AttendanceSettled
from tests.faults.facts import worth

_OWED = text("SELECT partner_id, -fen FROM balance WHERE account = :payable")
_STANDING = text("SELECT attendance_id, fen FROM donation WHERE superseded_at IS NULL")
_TOTALS = text("""
    SELECT (SELECT count(*) FROM donation) AS donations, (SELECT count(*) FROM entry) AS entries,
           (SELECT coalesce(sum(fen), 0) FROM leg) AS balance,
           (SELECT count(*) FROM inbox WHERE body IS NOT NULL) AS marks,
           (SELECT count(*) FROM donation JOIN leg USING (entry_id)
            WHERE line = 1 AND abs(leg.fen) = donation.fen) AS priced
""")


def fen_by_partner(facts: Collection[AttendanceSettled]) -> Mapping[UUID, int]:
    """Add up by hand what each partner is owed."""
    owed: Counter[UUID] = Counter()
    for fact in facts:
        owed[fact.partner_id] += worth([fact])
    return owed


def is_exact(connection: Connection, facts: Collection[AttendanceSettled]) -> bool:
    """Check that each of these facts, all different and worth something, is there once, priced and posted; no other."""
    owed: dict[UUID, int] = {
        row.partner_id: row[1] for row in connection.execute(_OWED, {"payable": Account.PAYABLE_ACCRUED})
    }
    standing: dict[UUID, int] = {row.attendance_id: row.fen for row in connection.execute(_STANDING)}
    count = len(facts)
    return (
        owed == fen_by_partner(facts)
        and standing == {fact.attendance_id: worth([fact]) for fact in facts}
        and tuple(connection.execute(_TOTALS).one()) == (count, count, 0, count, count)
    )
