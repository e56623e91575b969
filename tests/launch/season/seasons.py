"""Seasons to test with: the one of 2022, the smallest one, and any other of the same form."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from launch.season.file import read_season
from launch.season.form import Season

SEASON_2022 = (Path(__file__).parents[3] / "examples" / "season-2022.toml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Figures:
    """The smallest consistent season; what follows from other figures is computed from them."""

    first_round: date = date(2023, 4, 26)
    reporting_date: date = date(2023, 5, 1)
    rounds: int = 1
    rate: int = 6_000
    opened: tuple[date, ...] = ()
    signed: tuple[int, ...] = ()
    publicity_days: int = 10
    carried_over: int = 1
    held: int = 1
    off: int = 0  # Approved, and not held.
    rejected: int = 0
    participations: int = 1
    charity_hours: Decimal = Decimal(1)
    disbursed: int = 0
    seed: int = 1
    timezone: str = "Asia/Shanghai"
    late: Decimal = Decimal("0.1")
    missed: Decimal = Decimal("0.1")
    fill: Decimal = Decimal("0.5")
    step: int = 30

    @property
    def text(self) -> str:
        """The season file with these figures."""
        accrued = int(self.charity_hours * self.rate)
        return f"""
[reported.season]
programme = "合成季"
rounds = {self.rounds}
reporting_date = {self.reporting_date}
rate_fen_per_hour = {self.rate}
[reported.cohorts]
months = [{", ".join(str(day.replace(day=1)) for day in self.opened)}]
shortlisted = {list(self.signed)}
signed = {list(self.signed)}
publicity_days = {self.publicity_days}
[reported.activities]
proposals = {self.held + self.off + self.rejected}
approved = {self.held + self.off}
held = {self.held}
participations = {self.participations}
charity_hours = {self.charity_hours:f}
[reported.money]
disbursed_fen = {self.disbursed}
[assumed]
seed = {self.seed}
timezone = "{self.timezone}"
first_round = {self.first_round}
cohort_opened = [{", ".join(map(str, self.opened))}]
carried_over_partners = {self.carried_over}
late_arrival_share = {self.late}
missed_check_in_share = {self.missed}
signup_fill_rate = {self.fill}
pledged_fen = {accrued}
received_fen = {self.disbursed}
[assumed.policy]
hour_step_minutes = {self.step}
rounding = "down"
evidence_share_percent = {{ scanned = 100, attested = 100, claimed = 100, manual = 100 }}
caps = "none"
[assumed.money]
accrued_fen = {accrued}
unpaid_fen = {accrued - self.disbursed}
unpaid_reasons = {{ not_yet_batched = 1 }}
"""


def make_season(**overrides: Any) -> Season:
    """Read the smallest season with some other figures."""
    return read_season(replace(Figures(), **overrides).text, name="test.toml")
