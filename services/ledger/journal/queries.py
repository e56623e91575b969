"""Reads of the journal and its roll-ups, within the caller's programme and, for a partner, within its own rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from services.ledger.journal.tables import Account, Balance, Entry, Leg
from shared.database.keyset import KeysetList, Rows, equal

AccountCode = Annotated[str, Field(pattern="^[1-9][0-9]{3}$", max_length=4, examples=["2110"])]

# Both sums of each account, and how many (account, partner) pairs have a roll-up that is not the sum of their legs.
_TRIAL = text("""
    WITH posted AS (
        SELECT leg.account, leg.partner_id, sum(leg.fen) AS fen FROM leg JOIN entry ON entry.id = leg.entry_id
        WHERE entry.programme_id = :programme_id AND (CAST(:scope AS uuid) IS NULL OR leg.partner_id = :scope)
        GROUP BY leg.account, leg.partner_id
    ), rolled AS (
        SELECT account, partner_id, fen FROM balance
        WHERE programme_id = :programme_id AND (CAST(:scope AS uuid) IS NULL OR partner_id = :scope)
    ), pairs AS (
        SELECT account, coalesce(posted.fen, 0) AS legs, coalesce(rolled.fen, 0) AS balances
        FROM posted FULL JOIN rolled USING (account, partner_id)
    )
    SELECT account.code AS account, account.zh, account.en,
           CAST(coalesce(sum(legs), 0) AS bigint) AS from_legs,
           CAST(coalesce(sum(balances), 0) AS bigint) AS from_balances,
           count(*) FILTER (WHERE legs <> balances) AS differing
    FROM account LEFT JOIN pairs ON pairs.account = account.code
    GROUP BY account.code ORDER BY account.code
""")
_UNBALANCED = text("""
    SELECT count(*) FROM (
        SELECT FROM entry LEFT JOIN leg ON leg.entry_id = entry.id WHERE entry.programme_id = :programme_id
        GROUP BY entry.id HAVING count(leg.line) <> entry.leg_count OR sum(leg.fen) <> 0
    ) AS unbalanced
""")


@dataclass(frozen=True)
class TrialBalance:
    """The sums of the journal beside those of its roll-ups; fen, debits positive."""

    accounts: Sequence[Row[*tuple[Any, ...]]]
    total: int
    differing_balances: int
    unbalanced_entries: int

    @property
    def balanced(self) -> bool:
        """Say whether everything posted sums to zero, entry by entry and in all, and every roll-up equals its legs."""
        return self.total == self.differing_balances == self.unbalanced_entries == 0


@dataclass(frozen=True)
class Posted:
    """An entry with its legs in the order of their lines."""

    entry: Entry
    legs: Sequence[Leg]


BALANCES = KeysetList(
    key=(Balance.account, Balance.partner_id),
    filters={
        "account": equal(Balance.account, "On this account, by its code.", takes=AccountCode),
        "partner_id": equal(Balance.partner_id, "Of this partner."),
    },
    by_key="account",
    default_sort="account",
)


def balances_of(programme_id: UUID, partner_scope: UUID | None) -> Rows:
    """Say which balances, with the names of their accounts, a caller of a programme may see."""
    rows: Rows = (
        select(Balance.account, Account.zh, Account.en, Balance.partner_id, Balance.fen)
        .join(Account, Account.code == Balance.account)
        .where(Balance.programme_id == programme_id)
    )
    return rows if partner_scope is None else rows.where(Balance.partner_id == partner_scope)


def prove_balance(tx: Session, *, programme_id: UUID, partner_scope: UUID | None) -> TrialBalance:
    """Add up every leg of a programme and compare; reads the whole journal."""
    accounts = tx.execute(_TRIAL, {"programme_id": programme_id, "scope": partner_scope}).all()
    return TrialBalance(
        accounts=accounts,
        total=sum(row.from_legs for row in accounts),
        differing_balances=sum(row.differing for row in accounts),
        unbalanced_entries=tx.execute(_UNBALANCED, {"programme_id": programme_id}).scalar_one(),
    )


def list_entries(tx: Session, *, source_id: UUID, partner_scope: UUID | None) -> list[Posted]:
    """Return what was posted for one attendance, in order, reversals included; a partner sees its own."""
    statement = (
        select(Entry, Leg)
        .join(Leg, Leg.entry_id == Entry.id)
        .where(Entry.source_type == "attendance", Entry.source_id == source_id)
        .order_by(Entry.id, Leg.line)
    )
    if partner_scope is not None:
        statement = statement.where(Leg.partner_id == partner_scope)
    legs: dict[Entry, list[Leg]] = {}
    for entry, leg in tx.execute(statement):
        legs.setdefault(entry, []).append(leg)
    return [Posted(entry, lines) for entry, lines in legs.items()]
