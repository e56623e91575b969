"""Reads and locks of donations, within the caller's programme and, for a partner, within its own rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func, select, text
from sqlalchemy.orm import Session

from services.ledger.donations import rules
from services.ledger.donations.rules import Service, Span, Standing, State
from services.ledger.donations.tables import SUMMED, Donation, PartnerTotal
from services.ledger.journal import queries as journal
from services.ledger.policies import queries as policies
from services.ledger.policies.rules import DROP_TITLES, Drop, Line, Price, explain
from shared.database.keyset import KeysetList, Rows, Sort, equal, filtered, since, until
from shared.database.packed import uuids
from shared.errors import NotFound

MOST_OWN = 20_000

# A first fact has no row to lock yet, so the attendance itself is locked, by its id.
_LOCK = text("""
    SELECT count(locked) FROM (
        SELECT pg_advisory_xact_lock(hashtextextended('attendance:' || id, 0)) AS locked
        FROM unnest(CAST(:attendances AS uuid[])) AS id ORDER BY id
    ) AS locks
""")
_STANDING = text("""
    SELECT id, attendance_id, version, state, programme_id, partner_id, listing_id, shift_id, volunteer_id,
           started_at, service_on, evidence, recorded_minutes, matchable_minutes, fen, entry_id
    FROM donation WHERE attendance_id = ANY(CAST(:attendances AS uuid[])) AND superseded_at IS NULL
""")


_DIFFERING = text("""
    WITH months AS (
        SELECT partner_id, CAST(date_trunc('month', CAST(service_on AS timestamp)) AS date) AS service_month,
               count(*) FILTER (WHERE state <> 'voided') AS participations, sum(recorded_minutes) AS recorded,
               sum(matchable_minutes) AS matchable, sum(below_minimum_minutes) AS below,
               sum(above_ceiling_minutes) AS above, sum(step_rounding_minutes) AS rounding,
               sum(credited_minutes) AS credited, sum(fen) AS fen
        FROM donation
        WHERE programme_id = :programme_id AND superseded_at IS NULL
              AND (CAST(:scope AS uuid) IS NULL OR partner_id = :scope)
        GROUP BY 1, 2
    ), both_sides AS (
        SELECT partner_id, service_month, sum(participations) AS participations, sum(recorded) AS recorded,
               sum(matchable) AS matchable, sum(below) AS below, sum(above) AS above, sum(rounding) AS rounding,
               sum(credited) AS credited, sum(fen) AS fen
        FROM months GROUP BY GROUPING SETS ((1, 2), (1))
        UNION ALL
        SELECT partner_id, service_month, -participations, -recorded_minutes, -matchable_minutes,
               -below_minimum_minutes, -above_ceiling_minutes, -step_rounding_minutes, -credited_minutes, -fen
        FROM partner_total
        WHERE programme_id = :programme_id AND (CAST(:scope AS uuid) IS NULL OR partner_id = :scope)
    )
    SELECT count(*) FROM (
        SELECT FROM both_sides GROUP BY partner_id, service_month
        HAVING (sum(participations), sum(recorded), sum(matchable), sum(below), sum(above), sum(rounding),
                sum(credited), sum(fen)) <> (0, 0, 0, 0, 0, 0, 0, 0)
    ) AS differing
""")

DONATIONS = KeysetList(
    key=(Donation.id,),
    sorts={"service_on": Sort(Donation.service_on), "amount": Sort(Donation.fen)},
    filters={
        "partner_id": equal(Donation.partner_id, "Owed to this partner."),
        "listing_id": equal(Donation.listing_id, "For service on this listing."),
        "shift_id": equal(Donation.shift_id, "For service on this shift."),
        "volunteer_id": equal(Donation.volunteer_id, "For service of this volunteer."),
        "attendance_id": equal(Donation.attendance_id, "For this attendance."),
        "state": equal(Donation.state, "In this state.", takes=State),
        "service_from": since(Donation.service_on, "For service on this date or later."),
        "service_until": until(Donation.service_on, "For service before this date."),
    },
)


TOTAL_FILTERS = {  # Those of the list that totals answer, where a period begins and ends with months.
    "partner_id": equal(PartnerTotal.partner_id, "Owed to this partner."),
    "service_from": since(PartnerTotal.service_month, "For service in this month or later."),
    "service_until": until(PartnerTotal.service_month, "For service before this month."),
}


@dataclass(frozen=True)
class Story:
    """All that can be said of one donation: its present state, why, how it came to it, and what was posted."""

    donation: Donation
    explanation: Sequence[Line]
    versions: Sequence[Donation]
    entries: Sequence[journal.Posted]


@dataclass(frozen=True)
class Dropped:
    """Minutes that got lost between two stages of the waterfall, and why."""

    code: Drop
    after: str
    zh: str
    en: str
    minutes: int


@dataclass(frozen=True)
class Waterfall:
    """recorded → matchable → credited → accrued: sums over donations as they stand now, and each drop between."""

    sums: Row[Any]
    drops: Sequence[Dropped]


@dataclass(frozen=True)
class Proof:
    """The trial balance, and how many totals of partners are not the sum of the donations that stand."""

    trial: journal.TrialBalance
    differing_totals: int

    @property
    def balanced(self) -> bool:
        """Say whether the journal is proven and every total equals its donations."""
        return self.trial.balanced and self.differing_totals == 0


def lock_standing(tx: Session, attendances: Sequence[UUID]) -> dict[UUID, Standing]:
    """Lock these attendances, in the order of their ids, and return what stands for them, if anything does.

    Whoever else brings one of them waits until this transaction ends, and then sees what it did.
    """
    wanted = {"attendances": uuids(attendances)}
    tx.execute(_LOCK, wanted)
    found = {}
    for row in tx.execute(_STANDING, wanted):
        donation_id, attendance_id, version, state, *rest, fen, entry_id = row
        found[attendance_id] = Standing(
            donation_id, Service(attendance_id, version, State(state), *rest), fen, entry_id
        )
    return found


def donations_of(programme_id: UUID, partner_scope: UUID | None) -> Rows:
    """Say which donations a caller of a programme may see, as they stand now, voided ones included."""
    return _seen(select(Donation), programme_id=programme_id, partner_scope=partner_scope)


def list_own(tx: Session, *, programme_id: UUID, volunteer_id: UUID) -> Sequence[Donation]:
    """Return every version of a person's donations, oldest first, at most MOST_OWN of them."""
    own = (Donation.programme_id == programme_id, Donation.volunteer_id == volunteer_id)
    standing = select(Donation.id).where(*own, Donation.superseded_at.is_(None))  # Its index finds the others by id.
    rows = select(Donation).where(Donation.id.in_(standing), *own)
    return tx.scalars(rows.order_by(Donation.id, Donation.version).limit(MOST_OWN)).all()


def get_story(tx: Session, donation_id: UUID, *, programme_id: UUID, partner_scope: UUID | None) -> Story:
    """Return a donation with its explanation, its versions, oldest first, and its entries. Raises NotFound.

    A partner sees the versions that name it; one that stands with another partner now is not found.
    """
    seen = donations_of(programme_id, partner_scope)
    donation = tx.scalar(seen.where(Donation.id == donation_id))
    if donation is None:
        raise NotFound(donation_id=donation_id)
    versions = select(Donation).where(Donation.id == donation_id).order_by(Donation.version)
    entries = journal.list_entries(tx, source_id=donation.attendance_id, partner_scope=partner_scope)
    return Story(donation, _explain(tx, donation), tx.scalars(_scoped(versions, partner_scope)).all(), entries)


def _explain(tx: Session, donation: Donation) -> list[Line]:
    version_id = donation.policy_version_id
    return explain(
        recorded_minutes=donation.recorded_minutes,
        matchable_minutes=donation.matchable_minutes,
        priced=Price(
            credited_minutes=donation.credited_minutes,
            fen=donation.fen,
            below_minimum_minutes=donation.below_minimum_minutes,
            above_ceiling_minutes=donation.above_ceiling_minutes,
            step_rounding_minutes=donation.step_rounding_minutes,
        ),
        terms=None if version_id is None else policies.get_terms(tx, version_id),
    )


def sum_waterfall(
    tx: Session, wanted: Mapping[str, object], *, programme_id: UUID, partner_scope: UUID | None
) -> Waterfall:
    """Add up, in one statement, what became of every recorded minute; voided attendances count for nothing.

    `wanted` are filters of the list of donations. Whole months of partners, and all that they ever had, are read from
    totals, whatever they hold.
    """
    span = rules.span_of(wanted)
    if span is Span.DAYS:
        rows = filtered(_added_up(programme_id, partner_scope), DONATIONS.filters, wanted)
    else:
        rows = filtered(_totals_of(programme_id, partner_scope), TOTAL_FILTERS, wanted)
    if span is Span.EVER:
        rows = rows.where(PartnerTotal.service_month.is_(None))
    sums = tx.execute(rows).one()
    return Waterfall(sums, _drops(sums))


def prove_balance(tx: Session, *, programme_id: UUID, partner_scope: UUID | None) -> Proof:
    """Add up every leg and every standing donation of a programme and compare; reads the whole ledger."""
    trial = journal.prove_balance(tx, programme_id=programme_id, partner_scope=partner_scope)
    differing = tx.execute(_DIFFERING, {"programme_id": programme_id, "scope": partner_scope}).scalar_one()
    return Proof(trial, differing)


def _totals_of(programme_id: UUID, partner_scope: UUID | None) -> Rows:
    partners = func.count(PartnerTotal.partner_id.distinct()).filter(PartnerTotal.participations > 0)
    sums = (_total(getattr(PartnerTotal, name)).label(name) for name in SUMMED)
    rows: Rows = select(partners.label("partners"), *sums).where(PartnerTotal.programme_id == programme_id)
    return rows if partner_scope is None else rows.where(PartnerTotal.partner_id == partner_scope)


def _added_up(programme_id: UUID, partner_scope: UUID | None) -> Rows:
    took_part = Donation.state != State.VOIDED
    partners = func.count(Donation.partner_id.distinct()).filter(took_part)
    participations = func.count().filter(took_part)
    sums = (_total(getattr(Donation, name)).label(name) for name in SUMMED if name != "participations")
    rows = select(partners.label("partners"), participations.label("participations"), *sums)
    return _seen(rows, programme_id=programme_id, partner_scope=partner_scope)


def _drops(sums: Row[Any]) -> list[Dropped]:
    minutes = {
        Drop.NOT_MATCHABLE: sums.recorded_minutes - sums.matchable_minutes,
        Drop.BELOW_MINIMUM: sums.below_minimum_minutes,
        Drop.ABOVE_CEILING: sums.above_ceiling_minutes,
        Drop.STEP_ROUNDING: sums.step_rounding_minutes,
    }
    stages = {Drop.NOT_MATCHABLE: "recorded"}
    return [Dropped(drop, stages.get(drop, "matchable"), *DROP_TITLES[drop], lost) for drop, lost in minutes.items()]


def _total(column: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)  # A sum of fen is `numeric`; ours are integers.


def _seen(statement: Rows, *, programme_id: UUID, partner_scope: UUID | None) -> Rows:
    """Keep what stands now and what the caller may see."""
    current = statement.where(Donation.programme_id == programme_id, Donation.superseded_at.is_(None))
    return _scoped(current, partner_scope)


def _scoped(statement: Rows, partner_scope: UUID | None) -> Rows:
    return statement if partner_scope is None else statement.where(Donation.partner_id == partner_scope)
