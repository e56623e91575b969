"""How each route is called so that it would do something, for one side's things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.ids import new_id
from tests.contracts.permissions.world import Things

SHIFT = {"starts_at": "2022-06-01T01:00:00Z", "ends_at": "2022-06-01T04:00:00Z", "capacity": 5}
POLICY = {"fen_per_hour": 10_000, "step_minutes": 30, "min_minutes": 30, "max_minutes": 480}
REASON = {"reason": "来信"}
WITHDRAWAL = {"purpose": "partner_roster"}
CONSENT = WITHDRAWAL | {"version": 1}
DATES = {"since": "2022-01-01", "until": "2023-01-01"}
PRESENCE = {"checked_in_at": "2022-06-01T01:00:00Z", "checked_out_at": "2022-06-01T03:00:00Z", "evidence": "attested"}


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
SHEET = Recipe(form={"file": ("sheet.csv", b"a,b\n")})
RECIPES: dict[str, Recipe] = {
    # activities
    "register_volunteer": Recipe(lambda _things: {"employee_number": _named(), "display_name": "合成乙"}),
    "list_volunteers": PLAIN,
    "look_up_names": Recipe(lambda things: {"ids": [str(things["volunteer_id"])]}),
    "record_partner": Recipe(lambda _things: {"name": "绿叶", "agreement": "signed", "since": "2022-01-01"}),
    "get_partner": PLAIN,
    "publish_listing": Recipe(
        lambda things: {
            "partner_id": str(things["partner_id"]),
            "reference": _named(),
            "title": "净滩",
            "shifts": [SHIFT | {"starts_at": "2122-06-01T01:00:00Z", "ends_at": "2122-06-01T04:00:00Z"}],
        },
        names_thing=True,
    ),
    "look_up_volunteers": Recipe(lambda _things: {"employee_numbers": ["E1"]}),
    "list_consent_texts": PLAIN,
    "list_own_consents": PLAIN,
    "give_consent": Recipe(lambda _things: CONSENT),
    "withdraw_consent": Recipe(lambda _things: WITHDRAWAL),
    "list_consents": PLAIN,
    "record_consent": Recipe(lambda _things: CONSENT | REASON),
    "record_withdrawal": Recipe(lambda _things: WITHDRAWAL | REASON),
    "show_roster": PLAIN,
    "export_own_data": PLAIN,
    "erase_oneself": Recipe(lambda _things: {"confirmed": False}),
    "export_personal_data": Recipe(lambda _things: REASON),
    "erase_volunteer": Recipe(
        lambda _things: REASON | {"confirmed": True}, uses={"volunteer_id": "spare_volunteer_id"}
    ),
    "list_listings": PLAIN,
    "get_shift": PLAIN,
    "cancel_shift": Recipe(lambda _things: {"reason": "暴雨"}),
    "sign_up": PLAIN,
    "get_own_attendance": PLAIN,
    "list_attendances": PLAIN,
    "get_attendance": PLAIN,
    "correct_attendance": Recipe(lambda _things: PRESENCE | {"reason": "核对"}),
    "void_attendance": Recipe(lambda _things: {"reason": "核对"}),
    "summarise_activities": Recipe(query=DATES),
    "show_code": PLAIN,
    "check_in": Recipe(lambda _things: {"code": "123456"}),
    "check_out": Recipe(lambda _things: {"code": "123456"}),
    "stage_volunteers_import": SHEET,
    "stage_shifts_import": SHEET,
    "stage_attendance_import": SHEET,
    "download_volunteers_template": PLAIN,
    "download_shifts_template": PLAIN,
    "download_attendance_template": PLAIN,
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
