"""Ledgers of others that know neither our facts nor a broker: they post the same amounts, one transaction a commit."""

import subprocess
import sys
from collections.abc import Collection, Mapping

import orjson

from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.bench.contenders import Run
from tests.bench.facts import tell, unique
from tests.bench.places import Places
from tests.bench.totals import fen_by_partner
from tests.faults.facts import worth
from tests.faults.processes import ROOT


def run(places: Places, peer: str, events: int) -> Run:
    """Have a peer post what so many facts come to, each once, into a database of its own."""
    facts = unique(tell(events, programme_id=new_id(), repeated=False))
    lines = b"\n".join(orjson.dumps((str(fact.partner_id), worth([fact]))) for fact in facts)
    url = places.empty(peer)
    said = subprocess.run(  # noqa: S603  Our own module.
        [sys.executable, "-m", f"tests.bench.peers.{peer}"],
        input=lines, env={"BENCH_DATABASE_URL": url.render_as_string(hide_password=False)}, cwd=ROOT, check=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    found = orjson.loads(said.stdout)
    return Run(found["rate"], {"python": found["cpu_us"]}, agrees(found, facts))


def agrees(found: Mapping[str, object], facts: Collection[AttendanceSettled]) -> bool:
    """Say whether a peer's own balances, by partner and in all, are what these facts come to, each posted once."""
    owed = {str(partner): fen for partner, fen in fen_by_partner(facts).items()}
    return (found["owed"], found["expense"], found["transactions"]) == (owed, sum(owed.values()), len(facts))
