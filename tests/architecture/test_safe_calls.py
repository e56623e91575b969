"""Every unsafe route may be sent again, leaves a trail, and says whether it decides on what its caller has read."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from sqlalchemy import LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from launch.services import SERVICES
from services.activities.personal_data import tables as _activities  # noqa: F401  The last aggregate: all of its rows.
from services.activities.volunteers.tables import Base as Activities
from services.ledger.donations import tables as _ledger  # noqa: F401  As above.
from services.ledger.policies.tables import Base as Ledger
from shared.audit.trail import is_private
from shared.web.app import routers_of
from shared.web.preconditions import needs_reading
from shared.web.routes import UNSAFE, Route, Router, require_safe

# The rule: a call that decides about one thing, found by the address, on the ground of how that thing stands, says on
# which reading of it (`If-Match`). One that adds something, or reports a fact whose outcome is the same
# whatever the caller has read, does not; nor does one that is about a set of things.
DECIDES = {
    "edit_proposal", "submit_proposal", "withdraw_proposal", "request_proposal_changes", "approve_proposal",
    "reject_proposal", "uphold_claim", "reject_claim",
    "accept_deliverable", "reject_deliverable", "request_deliverable_revision",
    "assign_incident", "share_incident", "resolve_incident", "dismiss_incident",
    "record_partner", "set_round_calendar", "move_round", "extend_round", "cancel_round",
    "cancel_shift", "excuse_sign_up", "declare_draw", "decide_go", "decide_no_go", "record_not_run",
    "reschedule_shift", "close_listing", "cancel_listing",
    "correct_attendance", "void_attendance", "approve_policy_version",
    "record_certificate_issuer", "revoke_certificate",
    "publish_feedback_form", "give_feedback", "give_host_feedback", "remark_on_volunteer",
    "keep_skill", "edit_own_profile", "edit_profile", "record_eligibility", "approve_merge", "decline_merge",
    "decide_reliability_appeal",
    "lose_kit", "clear_kit", "approve_kit_cost", "refuse_kit_cost",
}  # fmt: skip
ADDS = {
    "propose_merge", "appeal_reliability",
    "request_own_calendar_feed", "request_host_calendar_feed", "request_programme_calendar_feed",
    "draft_proposal", "clone_proposal", "comment_on_proposal", "stage_proposals_import",
    "register_volunteer", "plan_round", "publish_listing", "stage_volunteers_import", "stage_shifts_import",
    "stage_attendance_import", "propose_policy_version", "request_replay", "export_personal_data",
    "open_incident", "note_incident", "report_incident",
}  # fmt: skip
REPORTS = {
    "request_certificate", "issue_certificate", "revoke_calendar_feed",
    "claim_proposal", "release_proposal",
    "attest_presence", "count_guests", "record_walk_in", "confirm_walk_in", "decline_walk_in",
    "submit_deliverable",
    "claim_attendance", "claim_for_others", "confirm_claim", "object_to_claim", "appeal_claim",
    "sign_up", "accept_offer", "decline_offer", "withdraw_sign_up",
    "check_in", "check_out", "give_consent", "withdraw_consent", "record_consent", "record_withdrawal",
    "erase_oneself", "erase_volunteer", "commit_import",
    "issue_kits", "ship_kits", "give_kit_address", "confirm_kit_receipt", "record_kit_receipt", "cancel_kit",
    "return_kit", "claim_kit_cost",
}  # fmt: skip
# Nothing changes; what is asked for must not stand in an address, or has no room there.
READINGS = {"look_up_names", "look_up_volunteers", "preview_shifts"}
ABOUT_A_SET = {"discard_dead_letters", "decide_proposals", "mark_no_shows", "accept_deliverables"}

# Text that the audit trail may show: words of a known kind, codes and ids, and reasons. All other text is private.
SHOWN = {
    "attendance.state", "attendance.evidence", "attendance_version.kind", "attendance_version.evidence",
    "attendance_version.reason", "consent.purpose", "consent.decision", "consent.text_digest", "consent.language",
    "consent.reason", "personal_data_access.kind", "personal_data_access.reason", "suppressed_number.key_id",
    "feedback.side", "feedback_form.side", "feedback_form.document",
    "calendar_feed.kind", "calendar_feed.language",
    "certificate.number", "certificate.key_id", "certificate.state", "certificate.revoked_because",
    "certificate_issuer.prefix", "certificate_issuer.zh", "certificate_issuer.en", "certificate_issuer.timezone",
    "partner.reference", "partner.name", "partner.agreement", "partner_standing.standing", "partner_standing.cause",
    "round.state", "round.moved_because", "round.cancelled_because", "round_calendar.timezone",
    "scan.way", "shift.state", "shift.cancelled_because", "shift.not_run", "draw.commitment",
    "listing.reference", "listing.title", "listing.timezone", "listing.mode", "listing.city", "listing.place",
    "listing.description", "listing.criteria", "listing.state", "listing.cancelled_because",
    "listing_words.partner_name",
    "proposal.external_reference", "proposal.state", "proposal.mode", "proposal.ended_because",
    "proposal_version.findings", "proposal_decision.decision", "proposal_comment.side",
    "deliverable.state", "deliverable_submission.answer", "work_file.media_type",
    "walk_in.state", "claim.kind", "claim.side", "claim.cause", "claim.state", "claim.review", "claim.decision_reason",
    "incident.kind", "incident.subject_type", "incident.state", "incident.opened_side", "incident.dedupe_key",
    "incident.resolution",
    "kit_terms.contents", "kit.state", "kit.cancelled_because", "kit_cost.state",
    "sign_up.source", "sign_up.state", "account.code", "account.zh", "account.en", "balance.account", "donation.state",
    "eligibility.reason", "merge.reason", "merge.outcome", "merge.declined_because",
    "skill.code", "skill.title_zh", "skill.title_en",
    "day_manifest.sha256",
    "donation.evidence", "entry.kind", "entry.source_type", "entry.currency", "leg.account",
}  # fmt: skip


def routes() -> Iterator[APIRoute]:
    for service in SERVICES:
        for router in routers_of(service):
            yield from (route for route in router.routes if isinstance(route, APIRoute))


ALL = [pytest.param(route, id=str(route.operation_id)) for route in routes()]
UNSAFE_ROUTES = [
    param for param in ALL
    if UNSAFE & (param.values[0].methods or set()) and param.values[0].operation_id not in READINGS  # type: ignore[union-attr]  # A route.
]  # fmt: skip


def is_asked_for(route: APIRoute, *functions: Any) -> bool:
    return any(each.call in functions for each in route.dependant.dependencies)


def test_each_unsafe_route_is_of_one_kind() -> None:
    """Whoever adds one says which."""
    kinds = (DECIDES, ADDS, REPORTS, ABOUT_A_SET)

    assert {param.values[0].operation_id for param in UNSAFE_ROUTES} == set().union(*kinds)  # type: ignore[union-attr]  # A route.
    assert sum(map(len, kinds)) == len(set().union(*kinds))


@pytest.mark.parametrize("route", UNSAFE_ROUTES)
def test_each_unsafe_route_can_be_sent_again(route: APIRoute) -> None:
    """It runs within the kit's own route, which remembers the answer and writes the trail."""
    assert isinstance(route, Route)
    assert route.is_unsafe
    assert route.caller
    assert [each.alias for each in route.dependant.header_params] == ["Idempotency-Key"]
    assert inspect.iscoroutinefunction(route.endpoint) == (route.act is not None)  # A hot door alone waits for others.


@pytest.mark.parametrize("route", ALL)
def test_decisions_say_what_they_rest_on(route: APIRoute) -> None:
    """And nothing else has to."""
    assert is_asked_for(route, *needs_reading) == (route.operation_id in DECIDES)


@pytest.mark.parametrize("route", UNSAFE_ROUTES)
def test_what_is_decided_about_can_be_read(route: APIRoute) -> None:
    """By its address, with its tag: the decision's path is a path that can be got, or lies right below one."""
    if route.operation_id not in DECIDES:
        return
    shown = {each.path for each in routes() if isinstance(each, Route) and "GET" in (each.methods or ())}
    assert route.path in shown or route.path.rpartition("/")[0] in shown


@pytest.mark.parametrize("route", ALL)
def test_one_thing_is_shown_under_its_tag(route: APIRoute) -> None:
    """So that a reader who has it is told so, and can decide about it."""
    if "GET" in (route.methods or ()) and route.path.endswith("}"):
        assert "If-None-Match" in [each.alias for each in route.dependant.header_params]


def test_a_route_beside_the_kit_is_not_served() -> None:
    """Nobody forgets the trail by taking FastAPI's own router."""
    router = APIRouter()
    router.add_api_route("/x", lambda: None, methods=["DELETE"])

    with pytest.raises(TypeError, match=r"shared\.web\.routes"):
        require_safe(router)
    require_safe(Router())


@pytest.mark.parametrize("base", [Activities, Ledger])
def test_text_is_private_unless_it_is_known_not_to_be(base: type[DeclarativeBase]) -> None:
    """A new column with somebody's name in it does not get into the audit trail because nobody thought of it."""
    kinds = (Text, LargeBinary, JSONB)
    shown = {
        f"{mapper.local_table.name}.{attribute.key}"  # type: ignore[attr-defined]  # A table.
        for mapper in base.registry.mappers
        for attribute in mapper.column_attrs
        if isinstance(attribute.columns[0].type, kinds) and not is_private(attribute)
    }

    assert shown <= SHOWN


@pytest.mark.parametrize("route", ALL)
def test_what_the_kit_answers_is_documented(route: APIRoute) -> None:
    """Generated clients know each status that may come."""
    headers = {each.alias for each in route.dependant.header_params}
    decides = route.operation_id in DECIDES
    expected = {304: "If-None-Match" in headers, 409: "Idempotency-Key" in headers, 412: decides, 428: decides}

    assert {status: status in route.responses for status in expected} == expected
