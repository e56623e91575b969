"""What a posting is. That it balances, and is reversed once and exactly, the database itself holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID


class Account(StrEnum):
    """The accounts that the line from attendance to donation needs (DOMAIN.md section 5)."""

    PAYABLE_ACCRUED = "2110"
    MATCHING_EXPENSE = "5110"


@dataclass(frozen=True, slots=True)
class Leg:
    """Fen on one account, for one partner; debits are positive, credits negative."""

    account: Account
    partner_id: UUID
    fen: int


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry to be: what it comes from, the date of service it belongs to, its legs in the order of their lines."""

    id: UUID
    programme_id: UUID
    source_id: UUID
    source_version: int
    effective_on: date
    legs: tuple[Leg, ...]
    reversal_of: UUID | None = None

    @property
    def kind(self) -> str:
        """Say whether the entry owes something or takes it back."""
        return "accrual" if self.reversal_of is None else "reversal"


def owed(*, partner_id: UUID, fen: int) -> tuple[Leg, ...]:
    """Return the legs of an accrual: matching expense against payable. Source: DOMAIN.md section 5, "Journal"."""
    return Leg(Account.MATCHING_EXPENSE, partner_id, fen), Leg(Account.PAYABLE_ACCRUED, partner_id, -fen)


def negated(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Return the legs that undo these exactly, line by line."""
    return tuple(replace(leg, fen=-leg.fen) for leg in legs)
