"""What the services' lists and sums answer in the double, as their own schemas would write it."""

from datetime import UTC, datetime, timedelta
from typing import Any

SHIFT_ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
NINE = datetime(2022, 6, 18, 1, 0, tzinfo=UTC)  # Nine in the morning in Shanghai, a Saturday.

LISTING: dict[str, Any] = {
    "id": SHIFT_ID,
    "partner_id": SHIFT_ID,
    "reference": "2022-LIB-07",
    "title": "社区图书馆周末故事会",
    "timezone": "Asia/Shanghai",
    "shifts": [
        {
            "id": SHIFT_ID,
            "number": 3,
            "starts_at": NINE.isoformat(),
            "ends_at": (NINE + timedelta(hours=2, minutes=30)).isoformat(),
            "service_on": "2022-06-18",
            "capacity": 12,
            "taken": 5,
            "state": "open",
            "cancelled_because": None,
        }
    ],
}


def _money(fen: int) -> dict[str, Any]:
    return {"currency": "CNY", "fen": fen}


def _account(account: str, zh: str, en: str, fen: int) -> dict[str, Any]:
    return {"account": account, "zh": zh, "en": en, "from_legs": _money(fen), "from_balances": _money(fen)}


def _policy(since: str, until: str | None, fen_per_hour: int, approver_id: str | None) -> dict[str, Any]:
    return {
        "id": SHIFT_ID, "effective_from": since, "effective_until": until, "fen_per_hour": fen_per_hour,
        "step_minutes": 30, "min_minutes": 30, "max_minutes": 480, "maker_id": SHIFT_ID,
        "proposed_at": NINE.isoformat(), "approver_id": approver_id, "approved_at": approver_id and NINE.isoformat(),
    }  # fmt: skip


def _import(state: str, kind: str, *, done: int = 0, rejected: int = 0, failure: Any = None) -> dict[str, Any]:
    return {
        "id": SHIFT_ID, "kind": kind, "state": state, "file_name": f"{kind}-2022.xlsx", "timezone": "Asia/Shanghai",
        "preview": {"create": 1_200, "update": 30, "skip": 0, "rejected": rejected}, "staged_at": NINE.isoformat(),
        "kept_until": (NINE + timedelta(days=30)).isoformat(), "done": done, "total": 1_230, "committed_at": None,
        "result": None, "failure": failure,
    }  # fmt: skip


def _entry(minute: int, operation: str, *roles: str, **others: Any) -> dict[str, Any]:
    return {
        "id": SHIFT_ID, "at": (NINE + timedelta(minutes=minute)).isoformat(), "person_id": SHIFT_ID, "service": None,
        "roles": roles, "operation": operation, "outcome": "done", "refusal": None, "repeats": 0, "thing": None,
        "thing_id": None, "changes": [], "counts": {}, "reason": None, "trace_id": None,
    } | others  # fmt: skip


FIGURES: dict[str, Any] = {
    "/api/activities/summary": {
        "since": "2000-01-01", "until": "2100-01-01", "participations": 1_234, "volunteers": 321,
        "without_check_out": 2, "voided": 1, "service_minutes": 148_085, "matchable_minutes": 140_000, "shifts": 40,
        "shifts_held": 38, "shifts_cancelled": 1, "partners_signed": 7, "partners_carried_over": 2,
    },
    "/api/activities/attendances": {
        "items": [
            {
                "id": SHIFT_ID, "shift_id": SHIFT_ID, "listing_id": SHIFT_ID, "partner_id": SHIFT_ID,
                "volunteer_id": SHIFT_ID, "service_on": "2022-06-18", "state": "settled", "version": 1,
                "checked_in_at": NINE.isoformat(), "checked_out_at": None, "started_at": None, "ended_at": None,
                "evidence": "scanned", "service_minutes": 125, "matchable_minutes": 120,
            }
        ] * 11,
        "next": SHIFT_ID,
    },
    "/api/ledger/waterfall": {
        "participations": 1_234, "partners": 9, "recorded_minutes": 148_085, "matchable_minutes": 140_000,
        "credited_minutes": 111_000, "accrued": _money(18_500_050),
        "drops": [
            {"code": "below_minimum", "after": "matchable", "zh": "不足起算时长", "en": "Too short", "minutes": 85},
            {"code": "above_ceiling", "after": "matchable", "zh": "超出上限", "en": "Above the ceiling", "minutes": 0},
        ],
    },
    "/api/ledger/balances": {
        "items": [
            {"account": "2110", "zh": "应付", "en": "Payable", "partner_id": SHIFT_ID, "balance": _money(-2_000_001)}
        ],
        "next": None,
    },
    "/api/ledger/policy-versions": {
        "items": [
            _policy("2021-12-31T16:00:00Z", "2022-12-31T16:00:00Z", 10_000, SHIFT_ID),
            _policy("2022-12-31T16:00:00Z", None, 12_000, None),
        ],
        "next": None,
    },
    "/api/ledger/trial-balance": {
        "accounts": [
            _account("2110", "应付配捐款", "Payable to partners, accrued", -2_000_001),
            _account("5110", "配捐支出", "Matching expense", 2_000_001),
        ],
        "total": _money(0), "differing_balances": 0, "unbalanced_entries": 0,
        "differing_totals": 0, "balanced": True,
    },
    "/api/activities/flow": {
        "service": "activities", "outbox": 3, "later": 17, "dead_letters": 0, "parked": 0, "broker": None,
        "queue_ready": 0, "queue_unacked": 0, "consumers": 1, "dead_at_broker": 0, "unrouted": 0,
    },
    "/api/ledger/flow": {
        "service": "ledger", "outbox": 0, "later": 0, "dead_letters": 4, "parked": 1, "broker": "TransportDown",
        "queue_ready": None, "queue_unacked": None, "consumers": None, "dead_at_broker": None, "unrouted": None,
    },
    "/api/activities/imports": {
        "items": [
            _import("staged", "attendance", rejected=7),
            _import("committing", "volunteers", done=615),
            _import("committed", "shifts", done=1_230),
            _import("failed", "of_the_future", failure={"code": "x", "zh": "班次已取消", "en": "Called off"}),
            _import("expired", "shifts"),
        ],
        "next": SHIFT_ID,
    },
    "/api/activities/audit-entries": {
        "items": [
            _entry(9, "cancel_shift", "operator", reason="场馆停电"),
            _entry(7, "list_volunteers", "volunteer", outcome="denied", refusal="missing_permission", repeats=11),
            _entry(1, "check_in", "volunteer"),
        ],
        "next": None,
    },
    "/api/ledger/audit-entries": {
        "items": [
            _entry(8, "approve_policy_version", "finance_approver"),
            _entry(2, "an_operation_of_the_future", "finance", "auditor", service="popcandy-activities"),
            _entry(0, "propose_policy_version", "finance"),
        ],
        "next": None,
    },
}  # fmt: skip
