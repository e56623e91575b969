"""A season that is brought in through the public doors."""

from launch import report
from launch.client import Api
from launch.embedded import EmbeddedPlatform
from launch.season.doors import Doors, bring_in
from launch.season.synthesis import synthesise
from shared import clock
from shared.roles import Role
from shared.settings import Settings
from tests.launch.season.seasons import make_season
from tests.servers.postgres import open_folder

ROWS = 20


def test_a_season_larger_than_a_sheet_comes_in_by_several() -> None:
    """The door takes 200,000 rows at once; a programme of five times 2022 has more."""
    season = make_season(held=9, participations=60, charity_hours=150)
    made = synthesise(season)
    assert len(made.history.attendances) > 2 * ROWS
    told: list[str] = []
    with open_folder() as folder:
        platform = EmbeddedPlatform(folder, Settings())
        try:
            address = platform.start()
            with Api(address.api_url) as api:
                bring_in(Doors(platform, api, season.zone), made, told.append, most_rows=ROWS)
                tokens = report.Tokens(auditor=platform.token(Role.AUDITOR), ops=platform.token(Role.OPS))
                found = report.figures(api, tokens)
        finally:
            clock.come_back()
            platform.stop()

    assert (found.participations, found.credited_minutes, found.shifts_held) == (60, 9_000, 9)
    assert (found.accrued_fen, found.books_balance, found.services_agree) == (150 * 6_000, True, True)
    assert told[-1] == "books"
