"""What age costs a ledger: how fast it takes facts in, and how long finance waits, beside one that is young.

Facts go through our inbox as a consumer hands them over, without a broker, whose own pace would hide the tables'.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from shared.database.server import Server
from tests.bench import aged, finance, waits
from tests.bench.aged import Ledger
from tests.bench.contenders import Run, compete, rates
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.finance import Case, Query
from tests.bench.meters import Meter, spent
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.waits import Waits
from tests.bench.watching import WARM_UP

YOUNG = 10_000  # Entries: a month of ours.
OLD = 1_000_000
POSTED = 10_000
ASKED = 15  # Times that each question is put to each ledger. The least counts: others share the machine.


def measure(
    places: Places, *, repeat: int, say: Say, entries: tuple[int, int] = (YOUNG, OLD), posted: int = POSTED
) -> Report:
    """Make a young and an old ledger, ask both the same, and have both take in as many facts."""
    young, old = entries
    with ExitStack() as stack:
        grown = stack.enter_context(aged.ledger(_server(places, "old"), entries=old, month=young))
        say(f"a ledger of {old:,} entries is there")
        with aged.ledger(_server(places, "young"), entries=young, month=young) as fresh:
            asked = [_ask_all(fresh, grown, say) for _ in range(repeat)]
        contenders = {
            "young": partial(_post_to_young, places, young, posted),
            "old": partial(_post, places, grown, posted, month=old // young),
        }
        runs = compete(contenders, repeat=repeat, say=say)
    figures = [*_figures(runs), *waits.figures(asked)]
    more = {"query_ms": waits.in_milliseconds(asked)}
    return Report("growth", runs, figures, notes=[waits.note(asked)], more=more)


def _server(places: Places, name: str) -> Server:
    """Name a ledger's database apart from the other's."""
    return Server(places.postgres.url, prefix=f"{name}_")


def _post_to_young(places: Places, entries: int, posted: int) -> Run:
    """Post to a ledger that is made anew, for the last run has aged the one before."""
    with aged.ledger(_server(places, "young"), entries=entries, month=entries) as fresh:
        return _post(places, fresh, posted, month=1)


def _post(places: Places, ledger: Ledger, posted: int, *, month: int) -> Run:
    """Take in so many facts of people who have served before; the first of them are the warm-up."""
    told = ledger.next_month(posted, month=month)
    letters, warm = aged.deliveries(told), round(posted * WARM_UP)
    before = ledger.state()
    ledger.take(letters[:warm])
    meter = Meter({"postgresql": places.postgres.pid})
    begun, used = time.monotonic(), meter.read()
    ledger.take(letters[warm:])
    seconds = time.monotonic() - begun
    cpu = spent(used, meter.read(), units=posted - warm)
    return Run((posted - warm) / seconds, cpu, ledger.state().has_taken(told, since=before))


def _ask_all(young: Ledger, old: Ledger, say: Say) -> Waits:
    """Put every question to both; return the seconds of each."""
    cases = [(ledger, _case(ledger)) for ledger in (young, old)]
    found = {}
    for name, query in finance.QUERIES.items():
        found[name] = _ask(query, cases)
        say(f"{name}: {1_000 * found[name][0]:.2f} ms young, {1_000 * found[name][1]:.2f} ms old")
    return found


def _ask(query: Query, cases: Sequence[tuple[Ledger, Case]]) -> tuple[float, float]:
    """Ask both in turn, several times; return the least that each has taken."""
    took: list[list[float]] = [[], []]
    for _ in range(ASKED):
        for (ledger, case), seconds in zip(cases, took, strict=True):
            begun = time.monotonic()
            with ledger.database.transaction() as tx:
                query(tx, case)
            seconds.append(time.monotonic() - begun)
    young, old = map(min, took)
    return young, old


def _case(ledger: Ledger) -> Case:
    with ledger.database.transaction() as tx:
        return finance.a_case(tx, programme_id=ledger.programme_id)


def _figures(runs: Mapping[str, Sequence[Run]]) -> list[Figure]:
    return [ratio("posting_old_to_young", rates(runs["old"]), rates(runs["young"]), Goal(0.9))]
