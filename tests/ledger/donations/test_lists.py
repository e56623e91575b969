"""How PostgreSQL reads a partner's lists."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.ledger.donations.queries import DONATIONS, donations_of
from shared.database.keyset import filtered
from tests.explaining import nodes_of, plan_of
from tests.factories.ledger import FIRST_OF_JUNE, PARTNER, PROGRAMME


@pytest.mark.parametrize("order_name", DONATIONS.orders)
def test_a_partner_reads_past_nobody_elses_donations(tx: Session, order_name: str) -> None:
    """However many partners there are, and however long ago its own began."""
    for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort"):
        tx.execute(text(f"SET LOCAL {setting} = off"))
    rows = DONATIONS.order(order_name).sorted(donations_of(PROGRAMME, PARTNER)).limit(51)

    nodes = list(nodes_of(plan_of(tx, rows)))

    assert [node for node in nodes if "partner_id" in node.get("Index Cond", "")]
    assert not [node for node in nodes if "Sort" in node["Node Type"] or "partner_id" in node.get("Filter", "")]


def test_a_partners_month_is_found_by_its_dates(tx: Session) -> None:
    """It is read without the months around it."""
    month = {"service_from": FIRST_OF_JUNE, "service_until": FIRST_OF_JUNE.replace(month=7)}
    for setting in ("enable_seqscan", "enable_sort"):
        tx.execute(text(f"SET LOCAL {setting} = off"))
    rows = filtered(donations_of(PROGRAMME, PARTNER), DONATIONS.filters, month)

    conditions = [
        node.get("Index Cond", "") for node in nodes_of(plan_of(tx, DONATIONS.order("service_on").sorted(rows)))
    ]

    assert [each for each in conditions if "partner_id" in each and "service_on" in each]
