"""Factories of activities: the smallest valid row, with what a test is about put in."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance import actions as attendance
from services.activities.attendance.rules import Interval
from services.activities.attendance.tables import Attendance
from services.activities.check_ins import rules as codes
from services.activities.claims.tables import Claim
from services.activities.draws.rules import commitment_of
from services.activities.draws.tables import Draw
from services.activities.incidents.tables import Incident
from services.activities.listings.tables import Listing, Shift
from services.activities.merges.tables import Merge
from services.activities.partners.tables import Partner, PartnerPause, PartnerStanding
from services.activities.reliability.tables import Appeal
from services.activities.rosters.tables import WalkIn
from services.activities.rounds.tables import Round, RoundCalendar
from services.activities.sign_ups.rules import PENDING, TAKING, State
from services.activities.sign_ups.tables import SignUp
from services.activities.skills.tables import Skill
from services.activities.volunteers.tables import Volunteer
from shared.events.activities import EvidenceClass
from shared.ids import new_id

PROGRAMME = UUID("01800000-0000-7000-8000-00000000000a")
REVIEWER = UUID("01800000-0000-7000-8000-00000000000b")
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105  Of RFC 6238, appendix B: "12345678901234567890".
NINE = datetime(2022, 6, 1, 1, 0, tzinfo=UTC)  # In Shanghai it is nine.
NOON = NINE + timedelta(hours=3)
FIRST_OF_JUNE = date(2022, 6, 1)
MINUTE = timedelta(minutes=1)

R = TypeVar("R")


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Name a time of the first of June as clocks in Shanghai show it."""
    return NINE + timedelta(hours=hour - 9, minutes=minute, seconds=second)


def code(now: datetime, *, secret: str = SECRET, steps: int = 0) -> str:
    """Return the code that a shift of these factories shows, or showed `-steps` half minutes ago."""
    return codes.code_at(secret, codes.code_step(now) + steps)


def named(kind: str) -> str:
    """Make a name that no other thing has."""
    return f"{kind}-{new_id().hex[-12:]}"


def make_volunteer(tx: Session, **overrides: Any) -> Volunteer:
    values = {
        "id": new_id(),
        "programme_id": PROGRAMME,
        "employee_number": named("E"),
        "display_name": "合成甲",
        "registered_at": NINE,
    }
    return _added(tx, Volunteer(**values | overrides))


def make_skill(tx: Session, **overrides: Any) -> Skill:
    values = {"programme_id": PROGRAMME, "code": f"s-{new_id().hex[-12:]}", "title_zh": "朗读", "title_en": "Reading"}
    return _added(tx, Skill(id=new_id(), **values | overrides))


def make_appeal(tx: Session, **overrides: Any) -> Appeal:
    """Make an appeal, about a no-show of somebody's own unless `sign_up_id` is given."""
    values = {"programme_id": PROGRAMME, "note": "made", "appealed_at": NINE} | overrides
    if "sign_up_id" not in values:
        shift = make_shift(tx, programme_id=values["programme_id"])
        values["sign_up_id"] = make_sign_up(tx, shift, state="no_show", ended_at=NINE).id
    return _added(tx, Appeal(id=new_id(), **values))


def make_merge(tx: Session, **overrides: Any) -> Merge:
    """Make a proposal to merge two records, of people of their own unless both are given."""
    values = {"programme_id": PROGRAMME, "reason": "made", "maker_id": REVIEWER, "proposed_at": NINE} | overrides
    for name in ("kept_id", "merged_id"):
        if name not in values:
            values[name] = make_volunteer(tx, programme_id=values["programme_id"]).id
    return _added(tx, Merge(id=new_id(), **values))


def make_partner(tx: Session, **overrides: Any) -> Partner:
    values = {
        "id": new_id(),
        "programme_id": PROGRAMME,
        "reference": named("P"),
        "name": "绿叶",
        "agreement": "signed",
    }
    return _added(tx, Partner(**{"since": date(2022, 1, 1)} | values | overrides))


def make_standing(tx: Session, partner: Partner, **overrides: Any) -> PartnerStanding:
    """Make what was told of where a partner stands: warned, at two proposals a week."""
    values = {"standing": "warning", "weekly_quota": 2, "cause": "shifts_not_held", "effective_at": NINE, "version": 1}
    owner = {"partner_id": partner.id, "programme_id": partner.programme_id}
    return _added(tx, PartnerStanding(**owner | values | overrides))


def make_pause(tx: Session, partner: Partner, **overrides: Any) -> PartnerPause:
    """Make what was told of when a partner rests: the whole of June."""
    values = {"paused_from": FIRST_OF_JUNE, "paused_until": date(2022, 7, 1), "version": 1}
    owner = {"partner_id": partner.id, "programme_id": partner.programme_id}
    return _added(tx, PartnerPause(**owner | values | overrides))


def make_round_calendar(tx: Session, **overrides: Any) -> RoundCalendar:
    """Make a calendar: open from Monday at nine to Thursday at six, reviewed by Friday, published on Monday at nine."""
    values = {
        "programme_id": PROGRAMME,
        "timezone": "Asia/Shanghai",
        "opens_weekday": 1,
        "opens_time": time(9),
        "closes_weekday": 4,
        "closes_time": time(18),
        "review_weekday": 5,
        "review_time": time(18),
        "publish_weekday": 1,
        "publish_time": time(9),
        "weeks_ahead": 2,
        "target": 60,
        "since": datetime(2022, 1, 1, tzinfo=UTC),
    }
    return _added(tx, RoundCalendar(**values | overrides))


def make_round(tx: Session, **overrides: Any) -> Round:
    """Make a round that is open for three days from the first of June at nine; a day more to review, one to publish."""
    opens_at = overrides.setdefault("opens_at", NINE)
    values = {
        "programme_id": PROGRAMME,
        "number": 1,
        "closes_at": opens_at + timedelta(days=3),
        "review_by": opens_at + timedelta(days=4),
        "publish_at": opens_at + timedelta(days=5),
        "target": 60,
        "state": "planned",
    }
    return _added(tx, Round(id=new_id(), **values | overrides))


def make_listing(tx: Session, **overrides: Any) -> Listing:
    """Make a listing, of a partner of its own unless `partner_id` is given."""
    programme_id = overrides.setdefault("programme_id", PROGRAMME)
    if "partner_id" not in overrides:
        overrides["partner_id"] = make_partner(tx, programme_id=programme_id).id
    values = {"reference": named("L"), "title": "净滩", "timezone": "Asia/Shanghai", "published_at": NINE}
    return _added(tx, Listing(id=new_id(), **values | overrides))


def make_shift(tx: Session, *, listing: Listing | None = None, **overrides: Any) -> Shift:
    """Make a shift from nine to noon whose code comes from SECRET, on a listing of its own unless one is given."""
    if listing is None:
        owner = {name: overrides.pop(name) for name in ("programme_id", "partner_id") if name in overrides}
        listing = make_listing(tx, **owner)
    values = {
        "programme_id": listing.programme_id,
        "listing_id": listing.id,
        "partner_id": listing.partner_id,
        "number": 1,
        "starts_at": NINE,
        "ends_at": NOON,
        "service_on": FIRST_OF_JUNE,
        "capacity": 10,
        "taken": 0,
        "code_secret": SECRET,
        "state": "open",
    }
    return _added(tx, Shift(id=new_id(), **values | overrides))


def make_sign_up(tx: Session, shift: Shift, *, volunteer: Volunteer | None = None, **overrides: Any) -> SignUp:
    """Make a place on a shift, or a sign-up in another state, of a person of its own unless one is given."""
    volunteer = volunteer or make_volunteer(tx, programme_id=shift.programme_id)
    values = {"programme_id": shift.programme_id, "source": "self", "signed_up_at": NINE, "state": State.CONFIRMED}
    values |= overrides
    if values["state"] not in PENDING:
        values.setdefault("ended_at", NINE)
    if values["state"] == State.OFFERED:
        values.setdefault("offer_expires_at", NOON)
    place = SignUp(id=new_id(), shift_id=shift.id, volunteer_id=volunteer.id, **values)
    row = shift if shift in tx else tx.get_one(Shift, shift.id)  # Or the count of one from another session is lost.
    row.taken += values["state"] in TAKING
    return _added(tx, place)


def make_draw(tx: Session, shift: Shift, **overrides: Any) -> Draw:
    """Have the places of a shift drawn the day before, by a seed of zeros."""
    shift.awaits_draw = True
    values = {"draws_at": shift.starts_at - timedelta(days=1), "seed": "0" * 64, "commitment": commitment_of("0" * 64)}
    return _added(tx, Draw(shift_id=shift.id, **values | overrides))


def make_attendance(tx: Session, shift: Shift, *, volunteer_id: UUID | None = None, **overrides: Any) -> Attendance:
    """Make somebody who came on time and has not left, with a place on the shift unless `volunteer_id` is given."""
    values = {
        "programme_id": shift.programme_id,
        "listing_id": shift.listing_id,
        "partner_id": shift.partner_id,
        "service_on": shift.service_on,
        "state": "checked_in",
        "version": 0,
        "checked_in_at": shift.starts_at,
    }
    person = volunteer_id or make_sign_up(tx, shift).volunteer_id
    if shift.state == "open":
        shift.state = "running"
    return _added(tx, Attendance(id=new_id(), shift_id=shift.id, volunteer_id=person, **values | overrides))


def make_settled(
    tx: Session, shift: Shift, *, came: datetime = NINE, left: datetime = NOON, volunteer_id: UUID | None = None
) -> Attendance:
    """Make somebody who came and left, settled as version 1; the fact of it stands in the outbox."""
    record = make_attendance(tx, shift, volunteer_id=volunteer_id, checked_in_at=came)
    presence = attendance.Presence(came, left, EvidenceClass.SCANNED)
    settlement = attendance.Settlement(record.id, record.volunteer_id, shift, 1, presence, "made", REVIEWER, left)
    attendance.settle(tx, [settlement])
    tx.refresh(record)
    tx.refresh(shift)
    return record


def make_claim(tx: Session, place: SignUp, *, shift: Shift, **overrides: Any) -> Claim:
    """Make what the person of a missed place claims of a whole shift; nobody has answered."""
    values = {
        "programme_id": place.programme_id,
        "sign_up_id": place.id,
        "shift_id": shift.id,
        "listing_id": shift.listing_id,
        "partner_id": shift.partner_id,
        "volunteer_id": place.volunteer_id,
        "service_on": shift.service_on,
        "kind": "no_check_in",
        "side": "volunteer",
        "claimed_by": place.volunteer_id,
        "claimed_at": NOON,
        "checked_in_at": shift.starts_at,
        "checked_out_at": shift.ends_at,
        "cause": "phone",
        "words": "手机没电",
        "state": "open",
        "answer_until": NOON + timedelta(days=7),
        "decide_until": NOON + timedelta(days=9),
    }
    return _added(tx, Claim(id=new_id(), **values | overrides))


def make_walk_in(tx: Session, shift: Shift, *, volunteer_id: UUID, **overrides: Any) -> WalkIn:
    """Make somebody who was there for all of a shift without a place; they have not answered."""
    values = {
        "programme_id": shift.programme_id,
        "shift_id": shift.id,
        "partner_id": shift.partner_id,
        "volunteer_id": volunteer_id,
        "checked_in_at": shift.starts_at,
        "checked_out_at": shift.ends_at,
        "recorded_by": REVIEWER,
        "recorded_at": NOON,
        "state": "recorded",
    }
    return _added(tx, WalkIn(id=new_id(), **values | overrides))


def make_incident(tx: Session, *, shift: Shift, **overrides: Any) -> Incident:
    """Make a complaint about a shift, which somebody of the staff put in."""
    values = {
        "programme_id": shift.programme_id,
        "kind": "complaint",
        "subject_type": "shift",
        "subject_id": shift.id,
        "shift_id": shift.id,
        "partner_id": shift.partner_id,
        "details": "没有人接待",
        "opened_side": "staff",
        "opened_by": REVIEWER,
        "opened_at": NOON,
        "deadline_at": NOON + timedelta(days=7),
    }
    return _added(tx, Incident(id=new_id(), **values | overrides))


def make_interval(start: int, end: int, *, attendance_id: UUID | None = None) -> Interval:
    """Make an interval from minute to minute after nine."""
    return Interval(attendance_id or new_id(), NINE + start * MINUTE, NINE + end * MINUTE)


def _added(tx: Session, row: R) -> R:
    tx.add(row)
    tx.flush()
    return row
