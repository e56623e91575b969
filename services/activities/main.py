"""The activities service: from a published shift to a proven minute. Each role loads its own part."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from shared.service import Later, Service

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shared.bus import Handler, Timer, Work
    from shared.imports.desk import Imports


@cache
def imports() -> "Imports":
    """Return what is taken in as sheets: web roles stage it, workers bring it in."""
    from services.activities.attendance_imports.jobs import ATTENDANCE
    from services.activities.proposal_imports.jobs import PROPOSALS
    from services.activities.shift_imports.jobs import SHIFTS
    from services.activities.volunteer_imports.jobs import VOLUNTEERS
    from shared.imports.desk import Imports

    return Imports("activities", VOLUNTEERS, SHIFTS, ATTENDANCE, PROPOSALS)


def routers() -> "Sequence[APIRouter]":
    """Return what answers requests, in order of life."""
    from services.activities.personal_data import api as personal_data
    from shared.web.imports import router_of

    groups = (_people(), _planning(), _places(), _kits(), _presence(), _afterwards())
    return *chain.from_iterable(groups), router_of(imports()), personal_data.router


def _people() -> "Sequence[APIRouter]":
    """Return what is asked of volunteers, their consents, what happens to them, and partners."""
    from services.activities.consents import api as consents
    from services.activities.eligibility import api as eligibility
    from services.activities.incidents import api as incidents
    from services.activities.partners import api as partners
    from services.activities.profiles import api as profiles
    from services.activities.skills import api as skills
    from services.activities.volunteers import api as volunteers

    own = (volunteers.router, skills.router, profiles.router, eligibility.router, consents.router)
    return *own, incidents.router, partners.router


def _planning() -> "Sequence[APIRouter]":
    """Return what is asked of rounds, and of what is proposed, reviewed and published in them."""
    from services.activities.listings import api as listings
    from services.activities.proposals import api as proposals
    from services.activities.reviews import api as reviews
    from services.activities.rounds import api as rounds

    return rounds.router, listings.router, proposals.router, reviews.router


def _places() -> "Sequence[APIRouter]":
    """Return what is asked of places on shifts, and of the life of these."""
    from services.activities.calendar_feeds import api as calendar_feeds
    from services.activities.draws import api as draws
    from services.activities.openings import api as openings
    from services.activities.places import api as places
    from services.activities.reliability import api as reliability
    from services.activities.schedules import api as schedules
    from services.activities.sign_ups import api as sign_ups

    planned = (draws.router, places.router, openings.router, schedules.router, calendar_feeds.router)
    return sign_ups.router, reliability.router, *planned


def _kits() -> "Sequence[APIRouter]":
    """Return what is asked of kits for work at home."""
    from services.activities.kit_returns import api as kit_returns
    from services.activities.kits import api as kits

    return kits.router, kit_returns.router


def _presence() -> "Sequence[APIRouter]":
    """Return what is asked of who came, of how that is known, and of what was handed in."""
    from services.activities.acceptances import api as acceptances
    from services.activities.attendance import api as attendance
    from services.activities.boards import api as boards
    from services.activities.check_ins import api as check_ins
    from services.activities.claims import api as claims
    from services.activities.closings import api as closings
    from services.activities.corrections import api as corrections
    from services.activities.deliverables import api as deliverables
    from services.activities.merges import api as merges
    from services.activities.rosters import api as rosters
    from services.activities.work_files import api as work_files

    scanned = (attendance.router, corrections.router, check_ins.router)
    handed_in = (deliverables.router, acceptances.router, work_files.router)
    return *scanned, closings.router, rosters.router, boards.router, claims.router, *handed_in, merges.router


def _afterwards() -> "Sequence[APIRouter]":
    """Return what is asked of service that is over: what people say of it, and what they can show of it."""
    from services.activities.certificates import api as certificates
    from services.activities.feedback import api as feedback
    from services.activities.feedback_forms import api as feedback_forms
    from services.activities.manifests import api as manifests
    from services.activities.recommendations import api as recommendations
    from services.activities.records import api as records

    answered = (feedback_forms.router, feedback.router, recommendations.router)
    return *answered, records.router, certificates.router, manifests.router


def handlers() -> "Sequence[Handler[Any]]":
    """Return what hears events."""
    from services.activities.kits.handlers import follow_shifts, release_kits
    from services.activities.partners.handlers import keep_agreements, keep_pauses, keep_standings

    return keep_agreements, keep_standings, keep_pauses, release_kits, follow_shifts


def tasks() -> "Sequence[Work]":
    """Return what workers do when they are asked to."""
    from services.activities.revisions.jobs import revise_eligibility

    return imports().work, revise_eligibility


def timers() -> "Sequence[Timer]":
    """Return what workers do by the calendar."""
    from services.activities.acceptances.jobs import end_deliverables
    from services.activities.certificates.jobs import supersede_certificates
    from services.activities.claims.jobs import pass_on_claims
    from services.activities.closings.jobs import close_shifts
    from services.activities.deliverables.jobs import lapse_deliverables, owe_deliverables
    from services.activities.draws.jobs import hold_draws
    from services.activities.kit_returns.jobs import watch_kits
    from services.activities.listings.jobs import read_listings
    from services.activities.manifests.jobs import count_days
    from services.activities.personal_data.jobs import forget_expired
    from services.activities.places.jobs import expire_offers
    from services.activities.proposals.jobs import expire_proposals
    from services.activities.reviews.jobs import publish_approved
    from services.activities.rounds.jobs import make_rounds_ahead, turn_rounds
    from services.activities.schedules.jobs import watch_shifts

    return (
        imports().timer, supersede_certificates, forget_expired, make_rounds_ahead, turn_rounds, expire_proposals,
        publish_approved, read_listings, expire_offers, hold_draws, watch_shifts, watch_kits, close_shifts,
        pass_on_claims, owe_deliverables, lapse_deliverables, end_deliverables,
        count_days,
    )  # fmt: skip


SERVICE = Service(
    name="activities",
    about="Volunteers, rounds, proposals, shifts, sign-ups, attendance: from a week's call to a proven minute.",
    routers=Later(routers),
    handlers=Later(handlers),
    tasks=Later(tasks),
    timers=Later(timers),
)
