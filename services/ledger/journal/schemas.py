"""Balances, entries and sums of accounts as HTTP callers see them. Debits are positive, credits negative."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field

from services.ledger.journal import queries
from shared.errors import Title
from shared.web.fields import Count, Items, Money, Shown
from shared.web.lists import Listed, Table


def money(fen: object) -> object:
    """Read a column of fen as money."""
    return Money(fen=fen) if isinstance(fen, int) else fen


_ACCOUNT = {
    "account": Title(zh="科目", en="Account"),
    "zh": Title(zh="科目名称", en="Name (zh)"),
    "en": Title(zh="英文名称", en="Name (en)"),
}

Amount = Annotated[Money, BeforeValidator(money)]


class Balance(BaseModel):
    """What stands on one account for one partner."""

    model_config = ConfigDict(from_attributes=True)

    account: Shown
    zh: Shown
    en: Shown
    partner_id: UUID
    balance: Amount = Field(validation_alias="fen")


BALANCES = Listed(
    queries.BALANCES,
    Balance,
    file="balances",
    title=Title(zh="科目余额", en="Balances"),
    columns=_ACCOUNT
    | {"partner_id": Title(zh="机构编号", en="Partner id"), "balance": Title(zh="余额（元）", en="Balance (CNY)")},
)


class AccountTotal(BaseModel):
    """One account's sum, from the legs and from the roll-ups."""

    model_config = ConfigDict(from_attributes=True)

    account: Shown
    zh: Shown
    en: Shown
    from_legs: Amount
    from_balances: Amount


ACCOUNT_TOTALS = Table(
    AccountTotal,
    file="trial-balance",
    title=Title(zh="试算平衡表", en="Trial balance"),
    columns=_ACCOUNT
    | {
        "from_legs": Title(zh="分录合计（元）", en="From the journal (CNY)"),
        "from_balances": Title(zh="余额合计（元）", en="From the balances (CNY)"),
    },
)


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
