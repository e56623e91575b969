"""How PostgreSQL reads a partner's lists, among those of many."""

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from services.ledger.donations.queries import DONATIONS, donations_of
from shared.database.keyset import filtered
from shared.database.server import Server
from tests.explaining import nodes_of, plan_of
from tests.factories.ledger import FIRST_OF_JUNE, PARTNER, PROGRAMME

_CROWD = text("""
    INSERT INTO donation (id, version, state, attendance_id, programme_id, partner_id, listing_id, shift_id,
        volunteer_id, started_at, service_on, evidence, recorded_minutes, matchable_minutes, below_minimum_minutes,
        above_ceiling_minutes, step_rounding_minutes, credited_minutes, fen, decided_at)
    SELECT gen_random_uuid(), 1, 'voided', gen_random_uuid(), :programme,
        CASE WHEN n % :partners = 0 THEN :partner ELSE md5((n % :partners)::text)::uuid END, gen_random_uuid(),
        gen_random_uuid(), gen_random_uuid(), now(), DATE '2022-01-01' + n % 300, 'scanned', 0, 0, 0, 0, 0, 0, 0, now()
    FROM generate_series(1, :donations) AS n
""")


@pytest.fixture(scope="module")
def tx(server: Server) -> Iterator[Session]:
    """Put donations of seventy partners into a database of their own, and let PostgreSQL know what there is."""
    own = Server(server.url, prefix=f"crowd_{secrets.token_hex(4)}_")
    own.prepare("ledger")
    engine = create_engine(own.database_url("ledger"), poolclass=NullPool)
    try:
        with Session(engine) as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # Without their entries.
            session.execute(_CROWD, {"programme": PROGRAMME, "partner": PARTNER, "partners": 70, "donations": 7_000})
            session.execute(text("ANALYZE donation"))
            yield session
    finally:
        own.drop("ledger")


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
