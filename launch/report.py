"""A season's figures, from the services' own queries."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from shared.money import hours, yuan

if TYPE_CHECKING:
    from launch.client import Api  # Only named here: the command line is loaded by every role.

EVER = {"since": "1970-01-01", "until": "2200-01-01"}
EVER_OPENED = {"since": "1971-01-01T00:00:00Z", "until": "2199-12-31T00:00:00Z"}
FROM_ACTIVITIES = (
    "participations",
    "volunteers",
    "shifts_held",
    "partners_signed",
    "partners_carried_over",
    "without_check_out",
)
FROM_ROUNDS = ("proposals", "approved", "pass_permille")
SYNTHETIC = "synthetic: made from totals and assumptions of a season file; no real person, shift or scan"


@dataclass(frozen=True)
class Tokens:
    """Who asks: an auditor for the figures, ops for the dead letters."""

    auditor: str
    ops: str


@dataclass(frozen=True)
class Figures:
    """What happened and what it came to; minutes and fen, and the approved of the decided in thousandths."""

    rounds: int
    proposals: int
    approved: int
    pass_permille: int | None
    participations: int
    volunteers: int
    shifts_held: int
    partners_signed: int
    partners_carried_over: int
    without_check_out: int
    missed_recovered: int
    missed_lapsed: int
    recorded_minutes: int
    matchable_minutes: int
    credited_minutes: int
    accrued_fen: int
    drops: dict[str, int] = field(default_factory=dict)
    services_agree: bool = False
    books_balance: bool = False
    dead_letters: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the figures as plain values, the pass rate in percent."""
        facts = {"pass_rate" if name == "pass_permille" else name: value for name, value in asdict(self).items()}
        return facts | {"pass_rate": None if self.pass_rate is None else float(self.pass_rate)}

    @property
    def pass_rate(self) -> str | None:
        """The approved of the decided in percent, with one decimal place; None while nothing is decided."""
        return None if self.pass_permille is None else "{}.{}".format(*divmod(self.pass_permille, 10))


def figures(api: "Api", tokens: Tokens) -> Figures:
    """Ask activities what happened and the ledger what it came to. Raises Problem, Unreachable."""
    summary = api.get("/api/activities/summary", token=tokens.auditor, **EVER)
    rounds = api.get("/api/activities/boards/rounds", token=tokens.auditor, **EVER_OPENED)
    missed = api.get("/api/activities/claims/recovery", token=tokens.auditor, **EVER)["items"]
    waterfall = api.get("/api/ledger/waterfall", token=tokens.auditor)
    trial = api.get("/api/ledger/trial-balance", token=tokens.auditor)
    flows = [api.get(f"/api/{service}/flow", token=tokens.ops) for service in ("activities", "ledger")]
    recovered = sum(each["recovered"] + each["settled_otherwise"] for each in missed)
    return Figures(
        rounds=rounds["rounds"],
        **{name: rounds["whole"][name] for name in FROM_ROUNDS},
        **{name: summary[name] for name in FROM_ACTIVITIES},
        missed_recovered=recovered,
        missed_lapsed=sum(each["missed"] for each in missed) - recovered,
        recorded_minutes=waterfall["recorded_minutes"],
        matchable_minutes=waterfall["matchable_minutes"],
        credited_minutes=waterfall["credited_minutes"],
        accrued_fen=waterfall["accrued"]["fen"],
        drops={drop["code"]: drop["minutes"] for drop in waterfall["drops"]},
        services_agree=_agree(summary, waterfall),
        books_balance=trial["balanced"],
        dead_letters=sum(flow["dead_letters"] for flow in flows),
    )


def _agree(summary: dict[str, int], waterfall: dict[str, int]) -> bool:
    """Say whether activities and the ledger tell the same story of who took part, and for how long."""
    attended = (summary["participations"], summary["service_minutes"], summary["matchable_minutes"])
    return attended == (waterfall["participations"], waterfall["recorded_minutes"], waterfall["matchable_minutes"])


def lines(found: Figures) -> list[tuple[str, str]]:
    """Return the figures as a person reads them, zh and en."""
    return [
        ("签约机构 · partners signed", f"{found.partners_signed} (+{found.partners_carried_over} carried over)"),
        ("招募轮次 · rounds", f"{found.rounds:,}"),
        ("活动方案 · proposals", f"{found.proposals:,}, {found.approved:,} approved ({found.pass_rate or '-'} %)"),
        ("活动场次 · shifts held", f"{found.shifts_held:,}"),
        ("参与人次 · participations", f"{found.participations:,} by {found.volunteers:,} volunteers"),
        ("未签退 · without check-out", f"{found.without_check_out:,}"),
        ("漏签 · missed", f"{found.missed_recovered:,} recovered, {found.missed_lapsed:,} lapsed"),
        ("记录时长 · recorded", hours(found.recorded_minutes)),
        ("可配捐时长 · matchable", hours(found.matchable_minutes)),
        *((f"　其中扣减 · drop: {code}", f"-{hours(minutes)}") for code, minutes in found.drops.items() if minutes),
        ("公益时 · credited", hours(found.credited_minutes)),
        ("计提配捐 · accrued", f"CNY {yuan(found.accrued_fen)}"),
        ("两个服务一致 · services agree", "yes" if found.services_agree else "NO: see ./popcandy dead list and queues"),
        ("账目平衡 · books balance", "yes" if found.books_balance else "NO"),
        ("死信 · dead letters", str(found.dead_letters)),
    ]
