"""One fact a transaction in one statement: the fastest that can be written without a batch."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import clock
from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.bench.peers.orm import HANDLER

ACCRUE = text("""
    WITH mark AS (
        INSERT INTO inbox (event_id, handler, type, body) VALUES (:event_id, :handler, :type, :body)
        ON CONFLICT DO NOTHING RETURNING event_id
    ), bounded AS (
        SELECT p.*, CASE WHEN :minutes < p.min_minutes THEN 0 ELSE least(:minutes, p.max_minutes) END AS countable
        FROM policy_version AS p, mark
        WHERE p.programme_id = :programme AND p.approved_at IS NOT NULL
            AND p.effective @> CAST(:started_at AS timestamptz)
    ), priced AS (
        SELECT id AS policy_version_id, countable / step_minutes * step_minutes AS credited,
            (countable / step_minutes * step_minutes)::bigint * fen_per_hour / 60 AS fen,
            CASE WHEN :minutes < min_minutes THEN :minutes ELSE 0 END AS below,
            CASE WHEN :minutes < min_minutes THEN 0 ELSE greatest(:minutes - max_minutes, 0) END AS above,
            countable % step_minutes AS rounding
        FROM bounded
    ), legs AS (
        INSERT INTO leg (entry_id, line, leg_count, account, partner_id, fen)
        SELECT CAST(:entry AS uuid), line, 2, account, CAST(:partner AS uuid), sign * fen
        FROM priced, (VALUES (1::smallint, '2110', -1), (2::smallint, '5110', 1)) AS l(line, account, sign)
        WHERE fen > 0 RETURNING account, fen
    ), entries AS (
        INSERT INTO entry (id, programme_id, kind, source_type, source_id, source_version, leg_count, effective_on,
                           posted_at, currency)
        SELECT CAST(:entry AS uuid), CAST(:programme AS uuid), 'accrual', 'attendance', CAST(:attendance AS uuid),
               :version, 2, CAST(:service_on AS date), :now, 'CNY' FROM priced WHERE fen > 0
    ), donations AS (
        INSERT INTO donation (id, version, state, attendance_id, programme_id, partner_id, listing_id, shift_id,
            volunteer_id, started_at, service_on, evidence, recorded_minutes, matchable_minutes, below_minimum_minutes,
            above_ceiling_minutes, step_rounding_minutes, credited_minutes, fen, policy_version_id, entry_id,
            decided_at)
        SELECT CAST(:donation AS uuid), :version, 'settled', CAST(:attendance AS uuid), CAST(:programme AS uuid),
            CAST(:partner AS uuid), CAST(:listing AS uuid), CAST(:shift AS uuid), CAST(:volunteer AS uuid),
            :started_at, CAST(:service_on AS date), :evidence, :recorded, :minutes, below, above, rounding, credited,
            fen, policy_version_id, CASE WHEN fen > 0 THEN CAST(:entry AS uuid) END, :now
        FROM priced
    )
    INSERT INTO balance AS b (programme_id, account, partner_id, fen)
    SELECT CAST(:programme AS uuid), account, CAST(:partner AS uuid), fen FROM legs ORDER BY account
    ON CONFLICT (programme_id, account, partner_id) DO UPDATE SET fen = b.fen + EXCLUDED.fen
""")


def accrue(session: Session, event_id: UUID, body: str) -> None:
    """Price a fact and write what it comes to, once."""
    fact = AttendanceSettled.model_validate_json(body)
    session.execute(
        ACCRUE,
        {
            "event_id": event_id, "handler": HANDLER, "type": fact.type, "body": body.encode(),
            "minutes": fact.matchable_minutes, "recorded": fact.service_minutes, "programme": fact.programme_id,
            "started_at": fact.started_at, "service_on": fact.service_on, "partner": fact.partner_id,
            "listing": fact.listing_id, "shift": fact.shift_id, "volunteer": fact.volunteer_id,
            "attendance": fact.attendance_id, "version": fact.version, "evidence": fact.evidence.value,
            "entry": new_id(), "donation": new_id(), "now": clock.now(),
        },
    )  # fmt: skip
