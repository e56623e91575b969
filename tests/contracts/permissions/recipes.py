"""How each route is called so that it would do something, for one side's things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.activities.reviews.rules import HANDBOOK
from shared.ids import new_id
from tests.contracts.permissions.world import Things

SHIFT = {"starts_at": "2022-06-01T01:00:00Z", "ends_at": "2022-06-01T04:00:00Z", "capacity": 5}
POLICY = {"fen_per_hour": 10_000, "step_minutes": 30, "min_minutes": 30, "max_minutes": 480}
REASON = {"reason": "来信"}
WITHDRAWAL = {"purpose": "partner_roster"}
CONSENT = WITHDRAWAL | {"version": 1}
DATES = {"since": "2022-01-01", "until": "2023-01-01"}
CONTENT = {"title": "社区净滩行动", "mode": "on_site"}
ANSWERS = {"version": HANDBOOK.version, "marks": [{"item": item.code, "mark": "yes"} for item in HANDBOOK.items]}
STAY = {"checked_in_at": "2022-06-01T01:00:00Z", "checked_out_at": "2022-06-01T03:00:00Z"}
CLAIM = STAY | {"cause": "phone", "words": "x"}
PARCEL = {"carrier": "顺丰", "tracking_number": "SF1"}
ADDRESS = {"recipient": "合成甲", "phone": "13800000000", "postal_address": "厦门市思明区"}
DAY = {"service_from": "2022-06-01", "service_until": "2022-06-02"}
ANSWERED = {"shift_id": "answered_shift_id"}
FEEDBACK = {"form_version": 0, "answers": {"overall": 5}}
ASKED = {"is_required": False, "choices": []}
QUESTION = {"key": "liked", "kind": "text", "title": {"zh": "喜欢什么", "en": "What you liked"}, **ASKED}
FORM = {"title": {"zh": "反馈", "en": "Feedback"}, "questions": [QUESTION]}
PRESENCE = STAY | {"evidence": "attested"}


def _named() -> str:
    return f"X-{new_id().hex[-12:]}"


def _nothing(_things: Things) -> None:
    return None


@dataclass(frozen=True)
class Recipe:
    """What goes into a request beside the ids in its path."""

    json: Callable[[Things], object] = _nothing
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)
    names_thing: bool = False  # In the body, where other routes have an id in their path.
    works_once: bool = False  # What it did cannot be done to the same thing again.
    uses: Mapping[str, str] = field(default_factory=dict)  # Another thing in the path, where the route would ruin it.


PLAIN = Recipe()
TIMES = {
    "opens_at": "2122-06-01T01:00:00Z", "closes_at": "2122-06-04T01:00:00Z", "review_by": "2122-06-05T01:00:00Z",
    "publish_at": "2122-06-06T01:00:00Z",
}  # fmt: skip
MOMENT = {"weekday": 1, "time": "09:00"}
CALENDAR = {"opens": MOMENT, "closes": MOMENT, "review": MOMENT, "publish": MOMENT, "weeks_ahead": 1, "target": 60}
SHEET = Recipe(form={"file": ("sheet.csv", b"a,b\n")})
RECIPES: dict[str, Recipe] = {
    # activities
    "register_volunteer": Recipe(lambda _things: {"employee_number": _named(), "display_name": "合成乙"}),
    "list_volunteers": PLAIN,
    "look_up_names": Recipe(lambda things: {"ids": [str(things["volunteer_id"])]}),
    "record_partner": Recipe(lambda _things: {"name": "绿叶", "agreement": "signed", "since": "2022-01-01"}),
    "get_partner": PLAIN,
    "get_round_calendar": PLAIN,
    "set_round_calendar": Recipe(lambda _things: CALENDAR | {"timezone": "Asia/Shanghai"}),
    "list_rounds": PLAIN,
    "get_round": PLAIN,
    "plan_round": Recipe(lambda _things: TIMES | {"target": 60}),
    "move_round": Recipe(lambda _things: TIMES | REASON),
    "extend_round": Recipe(lambda _things: {"closes_at": "2122-06-05T01:00:00Z"} | REASON),
    "cancel_round": Recipe(lambda _things: REASON),
    "publish_listing": Recipe(
        lambda things: {
            "partner_id": str(things["partner_id"]),
            "reference": _named(),
            "title": "净滩",
            "shifts": [SHIFT | {"starts_at": "2122-06-01T01:00:00Z", "ends_at": "2122-06-01T04:00:00Z"}],
        },
        names_thing=True,
    ),
    "preview_shifts": Recipe(lambda _things: {"shifts": [SHIFT]}),
    "draft_proposal": Recipe(
        lambda things: {
            "partner_id": str(things["partner_id"]),
            "round_id": str(things["round_id"]),
            "content": CONTENT,
        },
        names_thing=True,
    ),
    "list_proposals": PLAIN,
    "get_proposal": PLAIN,
    "list_similar_proposals": PLAIN,
    "edit_proposal": Recipe(lambda _things: CONTENT),
    "submit_proposal": PLAIN,
    "withdraw_proposal": Recipe(lambda _things: REASON, uses={"proposal_id": "spare_proposal_id"}),
    "clone_proposal": Recipe(lambda things: {"round_id": str(things["round_id"])}),
    "get_review_handbook": PLAIN,
    "claim_proposal": PLAIN,
    "release_proposal": PLAIN,
    "request_proposal_changes": Recipe(lambda _things: {"requests": [{"field": "risks", "note": "写明潮汐"}]}),
    "approve_proposal": Recipe(lambda _things: {"answers": ANSWERS}),
    "reject_proposal": Recipe(lambda _things: {"reasons": ["duplicate"], "note": "重复"}),
    "decide_proposals": Recipe(
        lambda things: {
            "proposal_ids": [str(things["proposal_id"])],
            "decision": "rejected",
            "reasons": ["other"],
            "note": "重复",
        },
        names_thing=True,
    ),
    "list_proposal_comments": PLAIN,
    "comment_on_proposal": Recipe(lambda _things: {"body": "改到室内"}),
    "show_proposal_history": PLAIN,
    "show_round_board": PLAIN,
    "sum_round_boards": Recipe(query={edge: f"{day}T00:00:00Z" for edge, day in DATES.items()}),
    "look_up_volunteers": Recipe(lambda _things: {"employee_numbers": ["E1"]}),
    "list_skills": PLAIN,
    "get_skill": PLAIN,
    "keep_skill": Recipe(lambda _things: {"title_zh": "朗读", "title_en": "Reading"}),
    "get_own_profile": PLAIN,
    "edit_own_profile": Recipe(lambda _things: {"city": "上海"}),
    "get_profile": PLAIN,
    "edit_profile": Recipe(lambda _things: {"city": "上海"} | REASON),
    "get_eligibility": PLAIN,
    "record_eligibility": Recipe(lambda _things: {"intervals": [{"since": "2020-01-01"}]} | REASON),
    "propose_merge": Recipe(
        lambda things: {
            "kept_id": str(things["volunteer_id"]),
            "merged_id": str(things["twin_volunteer_id"]),
            **REASON,
        },
        names_thing=True,
        works_once=True,
    ),
    "get_own_reliability": PLAIN,
    "appeal_reliability": Recipe(lambda things: {"sign_up_id": str(things["sign_up_id"]), "note": "堵车"}),
    "get_reliability": PLAIN,
    "list_reliability_appeals": PLAIN,
    "get_reliability_appeal": PLAIN,
    "decide_reliability_appeal": Recipe(lambda _things: {"is_excused": True} | REASON),
    "list_merges": PLAIN,
    "get_merge": PLAIN,
    "approve_merge": PLAIN,
    "decline_merge": Recipe(lambda _things: REASON),
    "list_consent_texts": PLAIN,
    "list_own_consents": PLAIN,
    "give_consent": Recipe(lambda _things: CONSENT),
    "withdraw_consent": Recipe(lambda _things: WITHDRAWAL),
    "list_consents": PLAIN,
    "record_consent": Recipe(lambda _things: CONSENT | REASON),
    "record_withdrawal": Recipe(lambda _things: WITHDRAWAL | REASON),
    "show_roster": PLAIN,
    "show_board": PLAIN,
    "watch_board": PLAIN,
    "export_own_data": PLAIN,
    "erase_oneself": Recipe(lambda _things: {"confirmed": False}),
    "export_personal_data": Recipe(lambda _things: REASON),
    "erase_volunteer": Recipe(
        lambda _things: REASON | {"confirmed": True}, uses={"volunteer_id": "spare_volunteer_id"}
    ),
    "mark_no_shows": Recipe(lambda things: REASON | {"volunteer_ids": [str(things["volunteer_id"])]}),
    "claim_attendance": Recipe(lambda _things: CLAIM),
    "claim_for_others": Recipe(lambda things: {"items": [CLAIM | {"volunteer_id": str(things["volunteer_id"])}]}),
    "list_claims": PLAIN,
    "count_recovery": Recipe(query=DATES),
    "sum_evidence": Recipe(query=DATES),
    "get_claim": PLAIN,
    "confirm_claim": Recipe(works_once=True),
    "object_to_claim": Recipe(lambda _things: REASON, works_once=True),
    "appeal_claim": Recipe(lambda _things: REASON),
    "uphold_claim": Recipe(lambda _things: REASON),
    "reject_claim": Recipe(lambda _things: REASON),
    "list_deliverables": PLAIN,
    "get_deliverable": PLAIN,
    "accept_deliverables": Recipe(
        lambda things: {"items": [{"deliverable_id": str(things["deliverable_id"]), "submission": 1}]},
        names_thing=True,
    ),
    "accept_deliverable": Recipe(lambda _things: {}),
    "reject_deliverable": Recipe(lambda _things: REASON),
    "request_deliverable_revision": Recipe(lambda _things: REASON),
    "submit_deliverable": Recipe(form={"files": ("a.pdf", b"%PDF-1.7"), "pieces": (None, "2")}),
    "list_work_files": PLAIN,
    "download_work_file": PLAIN,
    "show_kit_terms": PLAIN,
    "issue_kits": Recipe(lambda things: {"volunteer_ids": [str(things["volunteer_id"])]}),
    "list_kit_addresses": PLAIN,
    "ship_kits": Recipe(lambda things: {"items": [PARCEL | {"kit_id": str(things["kit_id"])}]}),
    "list_kits": PLAIN,
    "get_kit": PLAIN,
    "give_kit_address": Recipe(lambda _things: ADDRESS),
    "get_kit_address": PLAIN,
    "confirm_kit_receipt": PLAIN,
    "record_kit_receipt": Recipe(lambda _things: {"evidence_note": "已签收"}),
    "cancel_kit": Recipe(uses={"kit_id": "spare_kit_id"}),
    "return_kit": Recipe(lambda _things: {"pieces": 2}, uses={"kit_id": "spare_kit_id"}),
    "lose_kit": Recipe(lambda _things: REASON),
    "clear_kit": Recipe(lambda _things: REASON),
    "claim_kit_cost": Recipe(lambda _things: REASON | {"amount_fen": 100, "evidence_note": "发票"}),
    "list_kit_costs": PLAIN,
    "get_kit_cost": PLAIN,
    "approve_kit_cost": Recipe(lambda _things: REASON),
    "refuse_kit_cost": Recipe(lambda _things: REASON),
    "attest_presence": Recipe(lambda things: {"way": "in", "volunteer_ids": [str(things["volunteer_id"])]}),
    "count_guests": Recipe(lambda _things: {"guests": 3}),
    "record_walk_in": Recipe(lambda _things: STAY | {"employee_number": "E-1"}),
    "list_walk_ins": PLAIN,
    "list_manifests": PLAIN,
    "get_manifest": PLAIN,
    "get_walk_in": PLAIN,
    "confirm_walk_in": PLAIN,
    "decline_walk_in": PLAIN,
    "report_incident": Recipe(lambda _things: {"kind": "safety", "details": "x"}),
    "open_incident": Recipe(
        lambda things: {
            "kind": "other",
            "subject_type": "shift",
            "subject_id": str(things["shift_id"]),
            "details": "x",
        },
        names_thing=True,
    ),
    "list_incidents": PLAIN,
    "get_incident": PLAIN,
    "note_incident": Recipe(lambda _things: {"text": "问过机构"}),
    "assign_incident": Recipe(lambda things: {"owner_id": str(things["volunteer_id"])}),
    "share_incident": PLAIN,
    "resolve_incident": Recipe(lambda _things: REASON),
    "dismiss_incident": Recipe(lambda _things: REASON),
    "list_listings": PLAIN,
    "get_shift": PLAIN,
    "get_listing": PLAIN,
    "list_shifts": PLAIN,
    "list_openings": PLAIN,
    "list_recommendations": PLAIN,
    "declare_draw": Recipe(lambda _things: {"draws_at": "2122-06-01T01:00:00Z"}),
    "get_draw": Recipe(uses={"shift_id": "drawn_shift_id"}),
    "list_own_sign_ups": PLAIN,
    "sum_fill": Recipe(query={"since": "2022-06-01", "until": "2022-06-08"}),
    "show_shift_board": Recipe(query={"since": "2022-06-01", "until": "2022-06-08"}),
    "cancel_shift": Recipe(lambda _things: {"reason": "暴雨"}),
    "decide_go": PLAIN,
    "decide_no_go": Recipe(lambda _things: {"reason": "人数不足"}),
    "record_not_run": Recipe(lambda _things: {"reason": "暴雨", "code": "weather"}),
    "reschedule_shift": Recipe(
        lambda _things: {"starts_at": "2122-06-01T01:00:00Z", "ends_at": "2122-06-01T04:00:00Z", "reason": "暴雨"}
    ),
    "close_listing": Recipe(uses={"listing_id": "spare_listing_id"}),
    "cancel_listing": Recipe(lambda _things: {"reason": "停办"}, uses={"listing_id": "spare_listing_id"}),
    "sign_up": PLAIN,
    "accept_offer": PLAIN,
    "decline_offer": PLAIN,
    "withdraw_sign_up": Recipe(lambda _things: {"because": "出差"}),
    "get_sign_up": PLAIN,
    "excuse_sign_up": Recipe(lambda _things: REASON),
    "get_own_attendance": PLAIN,
    "list_attendances": PLAIN,
    "get_attendance": PLAIN,
    "correct_attendance": Recipe(lambda _things: PRESENCE | {"reason": "核对"}),
    "void_attendance": Recipe(lambda _things: {"reason": "核对"}),
    "summarise_activities": Recipe(query=DATES),
    "show_code": PLAIN,
    "check_in": Recipe(lambda _things: {"code": "123456"}),
    "check_out": Recipe(lambda _things: {"code": "123456"}),
    "list_feedback_forms": PLAIN,
    "get_feedback_form": PLAIN,
    "publish_feedback_form": Recipe(lambda _things: FORM),
    "list_own_feedback_requests": PLAIN,
    "list_host_feedback_requests": PLAIN,
    "give_feedback": Recipe(lambda _things: FEEDBACK, uses=ANSWERED),
    "get_own_feedback": Recipe(uses=ANSWERED),
    "give_host_feedback": Recipe(lambda _things: FEEDBACK, uses=ANSWERED),
    "get_host_feedback": Recipe(uses=ANSWERED),
    "remark_on_volunteer": Recipe(lambda _things: FEEDBACK, uses=ANSWERED),
    "get_written_remark": Recipe(uses=ANSWERED),
    "list_feedback": PLAIN,
    "sum_feedback": PLAIN,
    "get_feedback": PLAIN,
    "list_remarks": PLAIN,
    "get_own_service_record": PLAIN,
    "get_service_record": PLAIN,
    "request_own_calendar_feed": Recipe(lambda _things: {"language": "en"}),
    "request_host_calendar_feed": Recipe(lambda _things: {"language": "en"}),
    "request_programme_calendar_feed": Recipe(lambda _things: {"language": "en"}),
    "list_calendar_feeds": PLAIN,
    "revoke_calendar_feed": PLAIN,
    "read_calendar": PLAIN,
    "get_certificate_issuer": PLAIN,
    "record_certificate_issuer": Recipe(
        lambda _things: {
            "prefix": f"Q{new_id().hex[-7:].upper()}",
            "zh": "基金会",
            "en": "Foundation",
            "contact": "信箱",
        }
    ),
    "request_certificate": Recipe(lambda _things: DAY),
    "issue_certificate": Recipe(lambda _things: DAY | REASON),
    "list_certificates": PLAIN,
    "get_certificate": PLAIN,
    "revoke_certificate": Recipe(lambda _things: REASON),
    "check_certificate": Recipe(query={"code": "X"}),
    "list_certificate_keys": PLAIN,
    "list_certificate_endings": PLAIN,
    "get_remark": Recipe(uses={"feedback_id": "remark_id"}),
    "stage_volunteers_import": SHEET,
    "stage_shifts_import": SHEET,
    "stage_attendance_import": SHEET,
    "stage_proposals_import": SHEET,
    "download_volunteers_template": PLAIN,
    "download_shifts_template": PLAIN,
    "download_attendance_template": PLAIN,
    "download_proposals_template": PLAIN,
    "list_imports": PLAIN,
    "get_import": PLAIN,
    "download_rejects": PLAIN,
    "commit_import": Recipe(lambda _things: {"skip_rejected": True}),
    # ledger
    "propose_policy_version": Recipe(lambda _things: POLICY | {"effective_from": "2030-01-01T00:00:00Z"}),
    "approve_policy_version": PLAIN,
    "list_policy_versions": PLAIN,
    "get_policy_version": PLAIN,
    "list_balances": PLAIN,
    "prove_balance": PLAIN,
    "list_donations": PLAIN,
    "explain_donation": PLAIN,
    "sum_waterfall": PLAIN,
    "export_own_donations": PLAIN,
    # the kit, in every service
    "discard_dead_letters": Recipe(
        lambda things: {"ids": [str(things["spare_letter_id"])], "why": "made"}, names_thing=True, works_once=True
    ),
    "list_dead_letters": PLAIN,
    "list_causes": PLAIN,
    "get_dead_letter": PLAIN,
    "request_replay": Recipe(lambda _things: {"all": True, "preview": True}),
    "list_replays": PLAIN,
    "get_replay": PLAIN,
    "list_task_runs": PLAIN,
    "show_task_run": PLAIN,
    "watch_flow": PLAIN,
    "list_audit_entries": PLAIN,
}
