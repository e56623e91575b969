"""Accruing: facts about attendances become donations, postings, balances and totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.ledger.donations import queries, rules
from services.ledger.donations.rules import Correction, Service, Standing, State
from services.ledger.journal import actions as journal
from services.ledger.journal.rules import Posting, negated, owed
from services.ledger.policies.queries import list_in_force
from services.ledger.policies.rules import Terms
from shared.database.packed import big_integers, dates, instants, integers, texts, uuids
from shared.events.activities import AttendanceRevised, AttendanceSettled, AttendanceVoided, Attended
from shared.ids import new_id, new_ids

# All that is superseded is read before anything is inserted, since one donation stands per attendance; and both before
# totals are sorted, which are locked last, behind balances, in order of their key. No month means all months.
_SAVE = text("""
    WITH superseded AS (
        UPDATE donation SET superseded_at = :now
        WHERE superseded_at IS NULL AND attendance_id = ANY(CAST(:replaced AS uuid[]))
        RETURNING programme_id, partner_id, service_on, state, recorded_minutes, matchable_minutes,
                  below_minimum_minutes, above_ceiling_minutes, step_rounding_minutes, credited_minutes, fen
    ), inserted AS (
        INSERT INTO donation (
            id, version, state, attendance_id, programme_id, partner_id, listing_id, shift_id, volunteer_id,
            started_at, service_on, evidence, recorded_minutes, matchable_minutes,
            below_minimum_minutes, above_ceiling_minutes, step_rounding_minutes,
            credited_minutes, fen, policy_version_id, entry_id, decided_at)
        SELECT d.*, :now FROM unnest(
            CAST(:ids AS uuid[]), CAST(:versions AS integer[]), CAST(:states AS text[]), CAST(:attendances AS uuid[]),
            CAST(:programmes AS uuid[]), CAST(:partners AS uuid[]), CAST(:listings AS uuid[]), CAST(:shifts AS uuid[]),
            CAST(:volunteers AS uuid[]), CAST(:started AS timestamptz[]), CAST(:service AS date[]),
            CAST(:evidence AS text[]), CAST(:recorded AS integer[]), CAST(:matchable AS integer[]),
            CAST(:below AS integer[]), CAST(:above AS integer[]), CAST(:rounding AS integer[]),
            CAST(:credited AS integer[]), CAST(:fen AS bigint[]), CAST(:policies AS uuid[]), CAST(:entries AS uuid[])
        ) AS d
        WHERE (SELECT count(*) FROM superseded) >= 0
        RETURNING programme_id, partner_id, service_on, state, recorded_minutes, matchable_minutes,
                  below_minimum_minutes, above_ceiling_minutes, step_rounding_minutes, credited_minutes, fen
    ), changed AS (
        SELECT 1 AS sign, * FROM inserted UNION ALL SELECT -1, * FROM superseded
    ), months AS (
        SELECT programme_id, partner_id,
               CAST(date_trunc('month', CAST(service_on AS timestamp)) AS date) AS service_month,
               sum(sign) FILTER (WHERE state <> 'voided') AS participations, sum(sign * recorded_minutes) AS recorded,
               sum(sign * matchable_minutes) AS matchable, sum(sign * below_minimum_minutes) AS below,
               sum(sign * above_ceiling_minutes) AS above, sum(sign * step_rounding_minutes) AS rounding,
               sum(sign * credited_minutes) AS credited, sum(sign * fen) AS fen
        FROM changed GROUP BY 1, 2, 3
    )
    INSERT INTO partner_total AS t (
        programme_id, partner_id, service_month, participations, recorded_minutes, matchable_minutes,
        below_minimum_minutes, above_ceiling_minutes, step_rounding_minutes, credited_minutes, fen)
    SELECT programme_id, partner_id, service_month, coalesce(sum(participations), 0), sum(recorded), sum(matchable),
           sum(below), sum(above), sum(rounding), sum(credited), sum(fen)
    FROM months GROUP BY GROUPING SETS ((1, 2, 3), (1, 2)) ORDER BY 1, 2, 3
    ON CONFLICT (programme_id, service_month, partner_id) DO UPDATE SET
        participations = t.participations + EXCLUDED.participations,
        recorded_minutes = t.recorded_minutes + EXCLUDED.recorded_minutes,
        matchable_minutes = t.matchable_minutes + EXCLUDED.matchable_minutes,
        below_minimum_minutes = t.below_minimum_minutes + EXCLUDED.below_minimum_minutes,
        above_ceiling_minutes = t.above_ceiling_minutes + EXCLUDED.above_ceiling_minutes,
        step_rounding_minutes = t.step_rounding_minutes + EXCLUDED.step_rounding_minutes,
        credited_minutes = t.credited_minutes + EXCLUDED.credited_minutes,
        fen = t.fen + EXCLUDED.fen
""")


@dataclass(frozen=True, slots=True)
class Written:
    """A correction with the ids of what it writes."""

    correction: Correction
    donation_id: UUID
    entry_id: UUID | None
    postings: tuple[Posting, ...]


def accrue(tx: Session, events: Sequence[Attended], *, now: datetime) -> None:
    """Owe partners what the newest version of each attendance is worth; repeated and stale facts change nothing.

    A handful of statements for the whole batch, all of it or none. Transactions that bring the same attendance at once
    wait for each other; unique keys stand behind that.
    Raises NoPolicy, MoreMatchableThanRecorded, OtherProgramme, VersionRetold.
    """
    told = rules.newest(service_of(event) for event in events)
    standing = queries.lock_standing(tx, [service.attendance_id for service in told])
    terms = _terms(tx, told)
    decided = (rules.decide(standing.get(service.attendance_id), service, terms) for service in told)
    corrections = [correction for correction in decided if correction is not None]
    ids = iter(new_ids(2 * len(corrections)))  # A donation's and an entry's, some of which are not needed.
    written = [_write(correction, next(ids), next(ids)) for correction in corrections]
    journal.post(tx, [posting for one in written for posting in one.postings], now=now)
    _save(tx, written, now=now)


def service_of(event: Attended) -> Service:
    """Read a fact; a voided attendance counts for nothing, whatever minutes it names."""
    state = _STATES[type(event)]
    counts = state is not State.VOIDED
    return Service(
        attendance_id=event.attendance_id,
        version=event.version,
        state=state,
        programme_id=event.programme_id,
        partner_id=event.partner_id,
        listing_id=event.listing_id,
        shift_id=event.shift_id,
        volunteer_id=event.volunteer_id,
        started_at=event.started_at,
        service_on=event.service_on,
        evidence=event.evidence.value,
        recorded_minutes=event.service_minutes if counts else 0,
        matchable_minutes=event.matchable_minutes if counts else 0,
    )


_STATES: dict[type[Attended], State] = {
    AttendanceSettled: State.SETTLED,
    AttendanceRevised: State.REVISED,
    AttendanceVoided: State.VOIDED,
}


def _terms(tx: Session, told: Sequence[Service]) -> list[Terms]:
    starts = [service.started_at for service in told]
    programmes = {service.programme_id for service in told}
    return list_in_force(tx, programmes, first=min(starts), last=max(starts)) if told else []


def _write(correction: Correction, new_donation_id: UUID, new_entry_id: UUID) -> Written:
    """Give ids to what a correction writes: the donation's is kept for life, a reversal's precedes what replaces it."""
    service, standing = correction.service, correction.replaces
    postings = []
    entry_id = None if standing is None or correction.reverses else standing.entry_id
    if standing is not None and correction.reverses:
        postings.append(_reversal(standing, version=service.version))
    if correction.accrues:
        entry_id = new_id() if correction.reverses else new_entry_id
        postings.append(
            Posting(
                entry_id, service.programme_id, service.attendance_id, service.version, service.service_on,
                owed(partner_id=service.partner_id, fen=correction.priced.fen),
            )
        )  # fmt: skip
    donation_id = new_donation_id if standing is None else standing.donation_id
    return Written(correction, donation_id, entry_id, tuple(postings))


def _reversal(standing: Standing, *, version: int) -> Posting:
    known = standing.service
    legs = negated(owed(partner_id=known.partner_id, fen=standing.fen))
    return Posting(
        new_id(after=standing.entry_id),
        known.programme_id,
        known.attendance_id,
        version,
        known.service_on,
        legs,
        reversal_of=standing.entry_id,
    )


def _save(tx: Session, written: Sequence[Written], *, now: datetime) -> None:
    if written:
        replaced = [one.correction.service.attendance_id for one in written if one.correction.replaces is not None]
        tx.execute(_SAVE, _columns(written) | {"replaced": uuids(replaced), "now": now})


def _columns(written: Sequence[Written]) -> dict[str, object]:
    services = [one.correction.service for one in written]
    prices = [one.correction.priced for one in written]
    return {
        "ids": uuids(one.donation_id for one in written),
        "versions": integers([service.version for service in services]),
        "states": texts(service.state.value for service in services),
        "attendances": uuids(service.attendance_id for service in services),
        "programmes": uuids(service.programme_id for service in services),
        "partners": uuids(service.partner_id for service in services),
        "listings": uuids(service.listing_id for service in services),
        "shifts": uuids(service.shift_id for service in services),
        "volunteers": uuids(service.volunteer_id for service in services),
        "started": instants(service.started_at for service in services),
        "service": dates(service.service_on for service in services),
        "evidence": texts(service.evidence for service in services),
        "recorded": integers([service.recorded_minutes for service in services]),
        "matchable": integers([service.matchable_minutes for service in services]),
        "below": integers([priced.below_minimum_minutes for priced in prices]),
        "above": integers([priced.above_ceiling_minutes for priced in prices]),
        "rounding": integers([priced.step_rounding_minutes for priced in prices]),
        "credited": integers([priced.credited_minutes for priced in prices]),
        "fen": big_integers([priced.fen for priced in prices]),
        "policies": uuids(one.correction.policy_version_id for one in written),
        "entries": uuids(one.entry_id for one in written),
    }
