"""A season that is brought in through the public doors."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from launch import report
from launch.client import Api
from launch.embedded import EmbeddedPlatform
from launch.season.access import Doors
from launch.season.doors import bring_in
from launch.season.facts import SyntheticSeason
from launch.season.synthesis import synthesise
from shared import clock
from shared.roles import Role
from shared.settings import Settings
from tests.launch.season.seasons import make_season
from tests.servers.postgres import open_folder

ROWS = 20


@contextmanager
def brought_in(made: SyntheticSeason, zone: ZoneInfo) -> Iterator[Doors]:
    """A running platform on which a season has happened."""
    told: list[str] = []
    with open_folder() as folder:
        platform = EmbeddedPlatform(folder, Settings())
        try:
            address = platform.start()
            with Api(address.api_url) as api:
                bring_in(Doors(platform, api, zone), made, told.append, most_rows=ROWS)
                yield Doors(platform, api, zone)
        finally:
            clock.come_back()
            platform.stop()
    assert told[-1] == "books"


def figures_of(doors: Doors) -> report.Figures:
    tokens = report.Tokens(auditor=doors.platform.token(Role.AUDITOR), ops=doors.platform.token(Role.OPS))
    return report.figures(doors.api, tokens)


def states(doors: Doors, path: str, role: Role) -> Counter[str]:
    return Counter(each["state"] for each in doors.listed(f"/api/activities/{path}", role))


def test_a_season_larger_than_a_sheet_comes_in_by_several() -> None:
    """The door takes 200,000 rows at once; a programme of five times 2022 has more."""
    season = make_season(held=9, participations=60, charity_hours=150)
    made = synthesise(season)
    assert len(made.history.attendances) > 2 * ROWS
    with brought_in(made, season.zone) as doors:
        found = figures_of(doors)

    assert (found.participations, found.credited_minutes, found.shifts_held) == (60, 9_000, 9)
    assert (found.accrued_fen, found.books_balance, found.services_agree) == (150 * 6_000, True, True)


def test_what_happens_is_there_with_its_reasons() -> None:
    """Rounds, proposals, shifts that came to nothing, claims: each where the synthesis has put it."""
    season = make_season(
        first_round=date(2023, 4, 17), rounds=3, reporting_date=date(2023, 5, 1), carried_over=3, held=9, off=6,
        rejected=5, participations=60, charity_hours=150, missed=Decimal("0.5"),
    )  # fmt: skip
    made = synthesise(season)
    recent = {it.reference for it in made.history.listings if it.shifts[0].starts_at >= made.claims_from}
    missed = [row for row in made.history.attendances if row.checked_out_at is None or row.evidence != "scanned"]
    claimed = [row for row in missed if row.listing_reference in recent]
    lapsed = sum(row.checked_out_at is None for row in claimed)
    assert 0 < lapsed < len(claimed) < len(missed)
    with brought_in(made, season.zone) as doors:
        found = figures_of(doors)
        rounds, proposals = states(doors, "rounds", Role.OPERATOR), states(doors, "proposals", Role.OPERATOR)
        shifts = list(doors.listed("/api/activities/shifts", Role.OPERATOR))
        claims = states(doors, "claims", Role.REVIEWER)
        decided = [each for each in doors.listed("/api/activities/proposals", Role.OPERATOR) if each["listing_id"]]

    assert rounds == {"published": 3}
    assert proposals == {"approved": 15, "rejected": 5}
    assert len(decided) == 15
    kept = Counter(shift["state"] for shift in shifts)
    assert kept.pop("held") == 9
    assert kept.total() == 6
    assert kept.keys() <= {"no_go", "not_run"}
    assert all(shift["cancelled_because"] for shift in shifts if shift["state"] != "held")
    assert claims.pop("expired") == lapsed
    assert claims.keys() <= {"confirmed", "upheld"}
    assert claims.total() == len(claimed) - lapsed
    assert (found.missed_recovered, found.dead_letters) == (sum(row.evidence != "scanned" for row in missed), 0)
