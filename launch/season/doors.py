"""Brings a synthetic season in through the public doors: rounds, a live day, a history of attendance."""

from collections.abc import Callable
from datetime import datetime, timedelta

from launch.season import live_day, sheets
from launch.season.access import Doors, parts
from launch.season.facts import SyntheticSeason
from launch.season.recovery import History
from launch.season.weeks import Weeks
from shared import clock
from shared.roles import Role

STEPS = 8  # What `bring_in` tells.
BEFORE = timedelta(hours=1)  # The first call, and the live day.

Tell = Callable[[str], None]


def bring_in(doors: Doors, season: SyntheticSeason, tell: Tell, *, most_rows: int = sheets.MOST_ROWS) -> None:
    """Make the whole season happen, by sheets of at most `most_rows`; `tell` hears what comes next.

    The rounds go by one after the other; attendance is told once all of it is past. The clock is left where the last
    claim has expired.

    Raises Problem when a door refuses, NotIdle when the books do not follow.
    """
    clock.travel(season.rounds[0].opens_at - BEFORE)
    tell("partners")
    _record_partners(doors, season)
    tell("policy")
    _agree_policy(doors, season)
    tell("volunteers")
    for volunteers in parts(season.volunteers, most_rows):
        doors.send_in("volunteers", "volunteers.csv", sheets.volunteers_csv(volunteers))
    tell("rounds")
    weeks = Weeks(doors, season)
    published = weeks.go_by()
    tell("live day")
    clock.travel(_morning(season) - BEFORE)
    weeks.call_off(at_last=True)
    live_day.play(doors, season, published)
    tell("attendance")
    history = History(doors, season, published, most_rows)
    clock.travel(max(clock.now(), _end(season)))
    history.tell()
    tell("missed")
    history.recover()
    tell("books")
    doors.platform.fire("activities.turn_rounds")  # Those of which nothing came as well.
    doors.platform.until_idle()


def _morning(season: SyntheticSeason) -> datetime:
    shifts = [shift for listing in season.live.listings for shift in listing.shifts]
    return min(shift.starts_at for shift in shifts)


def _end(season: SyntheticSeason) -> datetime:
    """Return when the last of the season was over: in a season of few days that may be on the live day."""
    rows = season.whole.attendances
    return max(row.checked_out_at or row.checked_in_at for row in rows)


def _record_partners(doors: Doors, season: SyntheticSeason) -> None:
    operator = doors.token(Role.OPERATOR)
    for partner in season.partners:
        facts = {"name": partner.name, "agreement": partner.agreement, "since": partner.since.isoformat()}
        doors.api.put(f"/api/activities/partners/{partner.reference}", facts, token=operator)


def _agree_policy(doors: Doors, season: SyntheticSeason) -> None:
    """Have one person propose what an hour is worth and another approve it."""
    policy = season.policy
    terms = {
        "effective_from": policy.effective_from.isoformat(),
        "fen_per_hour": policy.rate_fen_per_hour,
        "step_minutes": policy.step_minutes,
        "min_minutes": policy.min_minutes,
        "max_minutes": policy.max_minutes,
    }
    proposed = doors.api.post("/api/ledger/policy-versions", terms, token=doors.token(Role.FINANCE))
    approver, path = doors.token(Role.FINANCE_APPROVER), f"/api/ledger/policy-versions/{proposed['id']}"
    doors.api.post(f"{path}/approve", token=approver, if_match=doors.api.tag(path, token=approver))
