"""An embedded platform as a whole: what it takes of its server."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from launch.embedded import EmbeddedPlatform
from shared.settings import BadSetting, Settings
from tests.servers.postgres import open_folder


def test_all_pools_together_stay_below_what_the_server_has() -> None:
    """Else some part would wait for connections that another never gives back (PITFALLS H4)."""
    with open_folder() as folder:
        platform = EmbeddedPlatform(folder, Settings())
        try:
            platform.start()
            with closing(platform.server.open("ledger", pool_size=1)) as database, database.transaction() as tx:
                allowed = int(tx.execute(text("SHOW max_connections")).scalar_one())
            assert 20 < platform.most_connections < allowed * 9 // 10
        finally:
            platform.stop()


@pytest.mark.parametrize("chosen", [{"books": 30}, {"scans": 89}])
def test_a_term_that_cannot_be_stops_the_start(tmp_path: Path, chosen: dict[str, int]) -> None:
    """Rather than the night in which something would be deleted."""
    with pytest.raises(BadSetting, match=next(iter(chosen))):
        EmbeddedPlatform(tmp_path / "p", Settings(retention_days=chosen))
