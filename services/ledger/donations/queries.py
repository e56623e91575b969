"""Reads and locks of donations, within the caller's programme and, for a partner, within its own rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.ledger.donations.rules import Service, Standing, State
from services.ledger.donations.tables import Donation
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

    `wanted` are filters of the list of donations.
    """
    statement = select(
        func.count().filter(Donation.state != State.VOIDED).label("participations"),
        func.count(Donation.partner_id.distinct()).filter(Donation.state != State.VOIDED).label("partners"),
        _total(Donation.recorded_minutes).label("recorded_minutes"),
        _total(Donation.matchable_minutes).label("matchable_minutes"),
        _total(Donation.below_minimum_minutes).label("below_minimum_minutes"),
        _total(Donation.above_ceiling_minutes).label("above_ceiling_minutes"),
        _total(Donation.step_rounding_minutes).label("step_rounding_minutes"),
        _total(Donation.credited_minutes).label("credited_minutes"),
        _total(Donation.fen).label("accrued_fen"),
    )
    seen = _seen(statement, programme_id=programme_id, partner_scope=partner_scope)
    sums = tx.execute(filtered(seen, DONATIONS.filters, wanted)).one()
    return Waterfall(sums, _drops(sums))


def _drops(sums: Row[Any]) -> list[Dropped]:
    minutes = {
        Drop.NOT_MATCHABLE: sums.recorded_minutes - sums.matchable_minutes,
        Drop.BELOW_MINIMUM: sums.below_minimum_minutes,
        Drop.ABOVE_CEILING: sums.above_ceiling_minutes,
        Drop.STEP_ROUNDING: sums.step_rounding_minutes,
    }
    stages = {Drop.NOT_MATCHABLE: "recorded"}
    return [Dropped(drop, stages.get(drop, "matchable"), *DROP_TITLES[drop], lost) for drop, lost in minutes.items()]


def _total(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)  # A sum of fen is `numeric`; ours are integers.


def _seen(statement: Rows, *, programme_id: UUID, partner_scope: UUID | None) -> Rows:
    """Keep what stands now and what the caller may see."""
    current = statement.where(Donation.programme_id == programme_id, Donation.superseded_at.is_(None))
    return _scoped(current, partner_scope)


def _scoped(statement: Rows, partner_scope: UUID | None) -> Rows:
    return statement if partner_scope is None else statement.where(Donation.partner_id == partner_scope)
