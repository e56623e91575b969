"""The promise of the programme as one journey: from the partner's listing to the partner's statement."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.journeys.people import Cast, Shift, Town, gather
from tests.waiting import until

SERVED = timedelta(minutes=120)
SHIFT_MINUTES = 150


@dataclass(frozen=True)
class Statement:
    """What everybody concerned reads in the end; minutes and fen."""

    attended: tuple[str, int, int]  # State, service and matchable minutes, as the volunteer sees it.
    donation: tuple[str, int, int, int, int]  # State, recorded, matchable and credited minutes, fen: the partner's.
    explanation: tuple[tuple[str, int, int | None], ...]  # Code, minutes, fen.
    waterfall: tuple[int, int, int, int, int]
    balances: tuple[tuple[str, int], ...]
    balanced: bool
    dead_letters: int


THE_STATEMENT = Statement(
    attended=("settled", 120, 120),
    donation=("settled", 120, 120, 120, 20_000),
    explanation=(
        ("recorded", 120, None),
        ("matchable", 120, None),
        ("credited", 120, None),
        ("accrued", 120, 20_000),
    ),
    waterfall=(1, 120, 120, 120, 20_000),
    balances=(("2110", -20_000), ("5110", 20_000)),
    balanced=True,
    dead_letters=0,
)

End = Callable[[Cast, Shift], None]


def walk(town: Town, end_service: End) -> Statement:
    """Serve two hours on a shift that began two hours ago, and read what came of it.

    `end_service` makes the presence end: by the volunteer's scan where the clock can travel, else by a correction.
    """
    starts_at = datetime.now(UTC).replace(second=0, microsecond=0) - SERVED  # noqa: TID251  Both runs begin in reality.
    town.go_to(starts_at - timedelta(hours=1))
    cast = gather(town, policy_from=starts_at - timedelta(days=1))
    shift = cast.partner.publish_shift(starts_at=starts_at, minutes=SHIFT_MINUTES)
    cast.volunteer.sign_up(shift)
    assert cast.volunteer.standing(shift)["state"] == "expected"
    town.go_to(starts_at)
    cast.volunteer.scan(shift, cast.partner.shown_code(shift), "check-in")
    assert cast.volunteer.standing(shift)["state"] == "checked_in"
    end_service(cast, shift)
    return read(cast, shift)


def scan_out(cast: Cast, shift: Shift) -> None:
    """Leave after two hours, by the code that is shown then."""
    cast.volunteer.town.go_to(shift.starts_at + SERVED)
    cast.volunteer.scan(shift, cast.partner.shown_code(shift), "check-out")


def correct(cast: Cast, shift: Shift) -> None:
    """Have an operator write down the two hours that really were."""
    cast.volunteer.town.go_to(shift.starts_at + SERVED)
    (found,) = cast.operator.get("/api/activities/attendances", shift_id=shift.id)["items"]
    correction = {
        "checked_in_at": shift.starts_at.isoformat(),
        "checked_out_at": (shift.starts_at + SERVED).isoformat(),
        "evidence": "attested",
        "reason": "the partner confirmed both times",
    }
    cast.operator.decide(f"/api/activities/attendances/{found['id']}", "corrections", correction)


def read(cast: Cast, shift: Shift) -> Statement:
    """Wait for the donation and read what each person sees of it."""
    found: list[Any] = []

    def is_booked() -> bool:
        found[:] = cast.partner.get("/api/ledger/donations", shift_id=shift.id)["items"]
        return bool(found)

    until(is_booked, timeout=60, missing="the donation")
    (donation,) = found
    explained = cast.auditor.get(f"/api/ledger/donations/{donation['id']}")
    waterfall = cast.partner.get("/api/ledger/waterfall")
    own = cast.volunteer.standing(shift)
    minutes = ("recorded_minutes", "matchable_minutes", "credited_minutes")
    return Statement(
        attended=(own["state"], own["service_minutes"], own["matchable_minutes"]),
        donation=(donation["state"], *(donation[name] for name in minutes), donation["amount"]["fen"]),
        explanation=tuple(
            (line["code"], line["minutes"], line["amount"] and line["amount"]["fen"])
            for line in explained["explanation"]
        ),
        waterfall=(waterfall["participations"], *(waterfall[name] for name in minutes), waterfall["accrued"]["fen"]),
        balances=tuple(
            (item["account"], item["balance"]["fen"]) for item in cast.auditor.get("/api/ledger/balances")["items"]
        ),
        balanced=cast.auditor.get("/api/ledger/trial-balance")["balanced"],
        dead_letters=sum(len(cast.ops.get(f"/api/{name}/dead-letters")["items"]) for name in ("activities", "ledger")),
    )
