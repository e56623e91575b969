"""What finance asks of the ledger: every route that reads, asked as its door asks, for something in the middle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.ledger.donations import queries as donations
from services.ledger.donations.tables import Donation
from services.ledger.journal import queries as journal
from services.ledger.policies import queries as policies
from shared.database.keyset import filtered, read_page

PAGE_ROWS = 50  # What a page has if nobody asks for another number.
LONGEST_MONTH = timedelta(days=31)
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Case:
    """Whose ledger it is, the donation in the middle of it, and the calendar month of that one's service."""

    programme_id: UUID
    donation: Donation
    month_from: date
    month_until: date


Query = Callable[[Session, Case], object]


def a_case(tx: Session, *, programme_id: UUID) -> Case:
    """Look for the middle of a ledger; it has at least one donation."""
    standing = donations.donations_of(programme_id, None)
    half = (tx.scalar(select(func.count()).select_from(standing.subquery())) or 0) // 2
    middle = cast("Donation", tx.scalars(standing.order_by(Donation.id).offset(half).limit(1)).one())
    begins = middle.service_on.replace(day=1)
    return Case(programme_id, middle, begins, (begins + LONGEST_MONTH).replace(day=1))


def _asked(case: Case, by: str | None, *, month: bool) -> dict[str, object]:
    """Ask for what a column of the donation says, and for its month."""
    asked = {} if by is None else {by: getattr(case.donation, by)}
    return asked | ({"service_from": case.month_from, "service_until": case.month_until} if month else {})


def _donations(
    tx: Session, case: Case, *, by: str | None = None, month: bool = False, sort: str = "id", scoped: bool = False,
    deep: bool = False,
) -> object:  # fmt: skip
    """Read a page of donations; `scoped` as a partner's member, `deep` behind the one in the middle."""
    rows = donations.donations_of(case.programme_id, case.donation.partner_id if scoped else None)
    order = donations.DONATIONS.order(sort)
    place = order.place_of(case.donation) if deep else None
    wanted = filtered(rows, donations.DONATIONS.filters, _asked(case, by, month=month))
    return read_page(tx, wanted, order, place=place, limit=PAGE_ROWS)


def _waterfall(
    tx: Session, case: Case, *, by: str | None = None, month: bool = False, days: bool = False, scoped: bool = False
) -> object:
    """Add up; of `days` that are no month but as many."""
    scope = case.donation.partner_id if scoped else None
    asked = _asked(case, by, month=month)
    if days:
        asked |= {"service_from": case.month_from - A_DAY, "service_until": case.month_until - A_DAY}
    return donations.sum_waterfall(tx, asked, programme_id=case.programme_id, partner_scope=scope)


def _story(tx: Session, case: Case) -> object:
    return donations.get_story(tx, case.donation.id, programme_id=case.programme_id, partner_scope=None)


def _own(tx: Session, case: Case) -> object:
    return donations.list_own(tx, programme_id=case.programme_id, volunteer_id=case.donation.volunteer_id)


def _balances(tx: Session, case: Case, *, scoped: bool = False) -> object:
    rows = journal.balances_of(case.programme_id, case.donation.partner_id if scoped else None)
    return read_page(tx, rows, journal.BALANCES.order(journal.BALANCES.default_sort), place=None, limit=PAGE_ROWS)


def _proof(tx: Session, case: Case, *, scoped: bool = False) -> object:
    scope = case.donation.partner_id if scoped else None
    return donations.prove_balance(tx, programme_id=case.programme_id, partner_scope=scope)


def _policies(tx: Session, case: Case) -> object:
    order = policies.POLICY_VERSIONS.order(policies.POLICY_VERSIONS.default_sort)
    return read_page(tx, policies.versions_of(case.programme_id), order, place=None, limit=PAGE_ROWS)


def _policy(tx: Session, case: Case) -> object:
    assert case.donation.policy_version_id is not None
    return policies.get_version(tx, case.donation.policy_version_id, programme_id=case.programme_id)


QUERIES: Mapping[str, Query] = {  # Each by its operation, and what is special about it.
    "list_donations": _donations,
    "list_donations_deep": partial(_donations, deep=True),
    "list_donations_by_service_on": partial(_donations, sort="service_on"),
    "list_donations_by_service_on_deep": partial(_donations, sort="service_on", deep=True),
    "list_donations_by_amount": partial(_donations, sort="-amount"),
    "list_donations_by_amount_deep": partial(_donations, sort="-amount", deep=True),
    "list_donations_of_month": partial(_donations, month=True),
    "list_donations_of_month_by_service_on": partial(_donations, month=True, sort="service_on"),
    **{
        f"list_donations_of_{name}": partial(_donations, by=f"{name}_id")
        for name in ("partner", "listing", "shift", "volunteer", "attendance")
    },
    "list_donations_as_partner": partial(_donations, scoped=True),
    "list_donations_as_partner_by_service_on": partial(_donations, scoped=True, sort="service_on"),
    "list_donations_as_partner_by_amount": partial(_donations, scoped=True, sort="-amount"),
    "list_donations_as_partner_of_month": partial(_donations, scoped=True, month=True),
    "explain_donation": _story,
    "export_own_donations": _own,
    "sum_waterfall": _waterfall,
    "sum_waterfall_of_month": partial(_waterfall, month=True),
    "sum_waterfall_of_days": partial(_waterfall, days=True),
    "sum_waterfall_of_shift": partial(_waterfall, by="shift_id"),
    "sum_waterfall_as_partner": partial(_waterfall, scoped=True),
    "sum_waterfall_as_partner_of_month": partial(_waterfall, scoped=True, month=True),
    "list_balances": _balances,
    "list_balances_as_partner": partial(_balances, scoped=True),
    "prove_balance": _proof,
    "prove_balance_as_partner": partial(_proof, scoped=True),
    "list_policy_versions": _policies,
    "get_policy_version": _policy,
}
