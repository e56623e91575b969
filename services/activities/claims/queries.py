"""Reads and locks of claims, with whose they are in their SQL."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, text
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.claims.rules import Review, Side, State
from services.activities.claims.tables import Claim
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.database.scoped import within
from shared.errors import NotFound
from shared.events.activities import EvidenceClass
from shared.events.activities_claims import MissedKind

CLAIMS = KeysetList(
    key=(Claim.id,),
    sorts={"decide_until": Sort(Claim.decide_until)},
    filters={
        "state": equal(Claim.state, "In this state.", takes=State),
        "review": equal(Claim.review, "Waiting for a reviewer because of this.", takes=Review),
        "kind": equal(Claim.kind, "For this.", takes=MissedKind),
        "side": equal(Claim.side, "Claimed by this side.", takes=Side),
        "shift_id": equal(Claim.shift_id, "On this shift."),
        "partner_id": equal(Claim.partner_id, "With this partner."),
        "volunteer_id": equal(Claim.volunteer_id, "Of this volunteer."),
        "decide_from": since(Claim.decide_until, "To be decided at this instant or later."),
        "decide_before": until(Claim.decide_until, "To be decided before this instant."),
    },
    default_sort="-id",
)
# What was missed when its shift was closed: what is missed still, and what was recovered afterwards.
_RECOVERY = text("""
    SELECT s.partner_id, count(*) AS missed,
        count(*) FILTER (WHERE p.state = 'attended' AND c.state IN ('confirmed', 'upheld')) AS recovered,
        count(*) FILTER (WHERE p.state = 'attended' AND coalesce(c.state NOT IN ('confirmed', 'upheld'), true))
            AS settled_otherwise,
        count(*) FILTER (WHERE p.state <> 'attended' AND c.state = 'rejected' AND c.review IS NULL) AS rejected,
        count(*) FILTER (WHERE p.state <> 'attended' AND c.state = 'expired' AND c.review IS NULL) AS expired,
        count(*) FILTER (WHERE p.state <> 'attended'
            AND (c.review IS NOT NULL OR c.state IN ('open', 'confirmed', 'objected', 'upheld'))) AS open,
        count(*) FILTER (WHERE p.state <> 'attended' AND c.id IS NULL) AS unclaimed
    FROM shift s JOIN sign_up p ON p.shift_id = s.id LEFT JOIN claim c ON c.sign_up_id = p.id
    WHERE s.programme_id = :programme_id AND s.service_on >= :since AND s.service_on < :until
        AND (CAST(:partner_id AS uuid) IS NULL OR s.partner_id = :partner_id)
        AND s.concluded_at IS NOT NULL AND s.minutes_per_piece IS NULL -- Nobody misses a scan of what is handed in.
        AND (p.state IN ('missed', 'no_show')
            OR (p.state = 'attended' AND (p.ended_at > s.concluded_at OR c.id IS NOT NULL)))
    GROUP BY s.partner_id ORDER BY s.partner_id
""")
_EVIDENCE = text("""
    SELECT partner_id, CAST(date_trunc('month', service_on) AS date) AS month,
        CAST(sum(service_minutes) AS bigint) AS minutes,
        CAST(coalesce(sum(service_minutes) FILTER (WHERE evidence <> 'scanned'), 0) AS bigint) AS below_minutes
    FROM attendance
    WHERE programme_id = :programme_id AND service_on >= :since AND service_on < :until AND state = 'settled'
        AND agreed_minutes IS NULL
        AND (CAST(:partner_id AS uuid) IS NULL OR partner_id = :partner_id)
    GROUP BY 1, 2 ORDER BY 1, 2
""")


def claims_of(scope: Scope) -> Select[Claim]:
    """Say which claims a caller may see."""
    return select(Claim).where(within(scope, Claim.programme_id, Claim.partner_id, Claim.volunteer_id))


def get_claim(tx: Session, scope: Scope, claim_id: UUID) -> Claim:
    """Return one claim. Raises NotFound, also for one that the caller may not see."""
    claim = tx.scalars(claims_of(scope).where(Claim.id == claim_id)).first()
    if claim is None:
        raise NotFound(claim_id=claim_id)
    return claim


def lock_again(tx: Session, claim: Claim) -> None:
    """Lock a claim and read it anew; people and shifts are locked before."""
    tx.refresh(claim, with_for_update={"key_share": True})


class Ground(NamedTuple):
    """What a claim stands on: a person's place on a shift, their attendance, and the claim that there is."""

    place: SignUp
    attendance: Attendance | None
    claim: Claim | None


def find_grounds(tx: Session, *, shift_id: UUID, volunteer_ids: Collection[UUID]) -> dict[UUID, Ground]:
    """Return how these people stand with a shift, as they do now, by volunteer; whoever decides on it holds them.

    A record that was merged into another stands with no shift any more.
    """
    is_theirs = and_(Attendance.shift_id == SignUp.shift_id, Attendance.volunteer_id == SignUp.volunteer_id)
    rows = select(SignUp, Attendance, Claim).outerjoin(Attendance, is_theirs)
    rows = rows.outerjoin(Claim, Claim.sign_up_id == SignUp.id)
    rows = rows.join(Volunteer, and_(Volunteer.id == SignUp.volunteer_id, Volunteer.merged_into.is_(None)))
    rows = rows.where(SignUp.shift_id == shift_id, among(SignUp.volunteer_id, volunteer_ids))
    found = tx.execute(rows.execution_options(populate_existing=True))
    return {place.volunteer_id: Ground(place, attendance, claim) for place, attendance, claim in found}


class Sums(NamedTuple):
    """Minutes that were served with a partner, and those of them that were proven otherwise than by scans."""

    minutes: int
    below_minutes: int


def sum_evidence(tx: Session, *, partner_id: UUID, day: date) -> Sums:
    """Sum what was served with a partner in the month of a day, but by what is handed in: that is accepted by piece."""
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    below = func.sum(Attendance.service_minutes).filter(Attendance.evidence != EvidenceClass.SCANNED)
    rows = select(func.coalesce(func.sum(Attendance.service_minutes), 0), func.coalesce(below, 0))
    rows = rows.where(Attendance.partner_id == partner_id, Attendance.state == "settled")
    rows = rows.where(Attendance.agreed_minutes.is_(None))
    minutes, below_minutes = tx.execute(
        rows.where(Attendance.service_on >= first, Attendance.service_on < following)
    ).one()
    return Sums(int(minutes), int(below_minutes))


def lock_unanswered(tx: Session, *, now: datetime, limit: int) -> Sequence[Claim]:
    """Lock claims that the other side has left unanswered and that nobody else holds."""
    rows = select(Claim).where(Claim.state == State.OPEN, Claim.review.is_(None), Claim.answer_until <= now)
    rows = rows.order_by(Claim.answer_until).limit(limit)
    return tx.scalars(rows.with_for_update(key_share=True, skip_locked=True)).all()


def lock_undecided(tx: Session, *, now: datetime, limit: int) -> Sequence[Claim]:
    """Lock claims that nobody has decided in time and that nobody else holds; appeals have no end."""
    waits = (Review.UNANSWERED, Review.OBJECTED, Review.GATE)
    rows = select(Claim).where(Claim.review.in_(waits), Claim.decide_until <= now)
    rows = rows.order_by(Claim.decide_until).limit(limit)
    return tx.scalars(rows.with_for_update(key_share=True, skip_locked=True)).all()


def list_recovery(tx: Session, scope: Scope, *, since: date, until: date) -> Sequence[Any]:
    """Count by partner what was missed on the service dates [since, until), and what became of it."""
    return tx.execute(_RECOVERY, _period(scope, since, until)).all()


def list_evidence(tx: Session, scope: Scope, *, since: date, until: date) -> Sequence[Any]:
    """Sum by partner and month the minutes served on [since, until), and those proven otherwise than by scans.

    Work that is handed in is not among them: it is accepted by piece.
    """
    return tx.execute(_EVIDENCE, _period(scope, since, until)).all()


def find_undecided(tx: Session, *, volunteer_id: UUID) -> set[UUID]:
    """Return the shifts on which something is claimed for a person that somebody has yet to answer or decide."""
    rows = select(Claim.shift_id).where(Claim.volunteer_id == volunteer_id)
    return set(tx.scalars(rows.where(or_(Claim.state == State.OPEN, Claim.review.is_not(None)))))


def list_claims_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Claim]:
    """Return the claims for a person's places, oldest first."""
    return list(tx.scalars(select(Claim).where(Claim.volunteer_id == volunteer_id).order_by(Claim.id).limit(limit)))


def _period(scope: Scope, since: date, until: date) -> dict[str, object]:
    return {"programme_id": scope.programme_id, "partner_id": scope.partner_id, "since": since, "until": until}
