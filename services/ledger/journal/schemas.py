"""Balances, entries and the trial balance as HTTP callers see them. Debits are positive, credits negative."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field

from shared.web.fields import Count, Items, Money, Shown


def money(fen: object) -> object:
    """Read a column of fen as money."""
    return Money(fen=fen) if isinstance(fen, int) else fen


Amount = Annotated[Money, BeforeValidator(money)]


class Balance(BaseModel):
    """What stands on one account for one partner."""

    model_config = ConfigDict(from_attributes=True)

    account: Shown
    zh: Shown
    en: Shown
    partner_id: UUID
    balance: Amount = Field(validation_alias="fen")


class BalancePage(BaseModel):
    """Balances in the order of account and partner; `next` is the `after` of the following page."""

    model_config = ConfigDict(from_attributes=True)

    items: Items[Balance]
    next: Shown | None


class AccountTotal(BaseModel):
    """One account's sum, from the legs and from the roll-ups."""

    model_config = ConfigDict(from_attributes=True)

    account: Shown
    zh: Shown
    en: Shown
    from_legs: Amount
    from_balances: Amount


class TrialBalance(BaseModel):
    """Whether the books balance, and the sums that say so."""

    model_config = ConfigDict(from_attributes=True)

    accounts: Items[AccountTotal]
    total: Amount
    differing_balances: Count
    unbalanced_entries: Count
    balanced: bool


class Leg(BaseModel):
    """One line of an entry."""

    model_config = ConfigDict(from_attributes=True)

    line: Count
    account: Shown
    partner_id: UUID
    amount: Amount = Field(validation_alias="fen")


class Entry(BaseModel):
    """One entry of the journal with its legs."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(validation_alias=AliasPath("entry", "id"))
    kind: Shown = Field(validation_alias=AliasPath("entry", "kind"))
    source_version: Count = Field(validation_alias=AliasPath("entry", "source_version"))
    reversal_of: UUID | None = Field(validation_alias=AliasPath("entry", "reversal_of"))
    effective_on: date = Field(validation_alias=AliasPath("entry", "effective_on"))
    posted_at: datetime = Field(validation_alias=AliasPath("entry", "posted_at"))
    legs: Items[Leg]
