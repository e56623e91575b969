"""Failures for an operator to find, made as they really happen: by people, through the public doors of a platform.

    python -m tests.journeys.seeding --data FOLDER fail    # four attendances, and no policy by which to price them
    python -m tests.journeys.seeding --data FOLDER mend    # a policy, which is in force from the second day on

`docs/runbooks/dead-letters.md` walks through what comes of it.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from launch.announced import running
from shared.auth.issuer import EmbeddedIssuer
from shared.roles import Role
from shared.settings import Settings
from tests.journeys.people import Person, Town, agree_on_price, town, until_idle

EXAMPLES = Path(__file__).parents[2] / "examples"
FACTS, MENDED = 4, 2  # Of the example sheets, settled in all and from the second day on.
SECOND_DAY = datetime.fromisoformat("2022-06-19T00:00:00+08:00")


def fail(here: Town) -> None:
    """Bring in the example sheets before anybody has agreed on what an hour is worth: the ledger refuses each fact."""
    operator = Person(here, Role.OPERATOR)
    facts = {"name": "示例机构", "agreement": "signed", "since": "2022-01-01"}
    operator.put("/api/activities/partners/EX", facts)
    for kind in ("volunteers", "shifts", "attendance"):
        content = (EXAMPLES / f"{kind}.csv").read_bytes()
        operator.bring_in(kind, content)
    until_idle(Person(here, Role.OPS))


def mend(here: Town) -> None:
    """Have two people of finance agree on CNY 100 an hour, but forget the first day."""
    agree_on_price(here, policy_from=SECOND_DAY)


@contextmanager
def town_in(folder: Path) -> Iterator[Town]:
    """Come to the doors of the platform that runs over a folder."""
    found = running(folder)
    if found is None:
        sys.exit(f"no platform runs over {folder}")
    urls = {"activities": found.api_url, "ledger": found.api_url}
    programme_id = UUID((folder / "programme").read_text())
    issuer = EmbeddedIssuer(folder, Settings())
    with town(urls, pages_url=found.console_url, programme_id=programme_id, issuer=issuer) as here:
        yield here


def main() -> None:
    """Do one of the two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("what", choices=["fail", "mend"])
    told = parser.parse_args()
    with town_in(told.data) as here:
        (fail if told.what == "fail" else mend)(here)


if __name__ == "__main__":
    main()
