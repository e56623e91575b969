"""kill -9 of a whole platform, while sheets are brought in and their facts are on the way to the books."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from launch.announced import Address, running
from launch.refused import Unreachable
from shared.auth.issuer import EmbeddedIssuer
from shared.roles import Role
from shared.settings import Settings
from tests.faults.processes import Process, Processes, processes
from tests.journeys.people import Person, Town, town, until_idle
from tests.servers.postgres import open_folder
from tests.waiting import until

SHEETS, PEOPLE = 8, 250
DAYS = range(1, SHEETS + 1)
FEN_EACH = 20_000  # Two hours at CNY 100.


class Platform:
    """A process `up` over one folder."""

    def __init__(self, folder: Path, started: Processes) -> None:
        self.folder = folder
        self._started = started

    def launch(self) -> Process:
        """Run `up`, whatever becomes of it."""
        arguments = ("up", "--data", str(self.folder), "--port", "0", "--console-port", "0")
        return self._started.start("launch.cli", *arguments, environment={"POPCANDY_HOME": str(self.folder)})

    def start(self) -> Process:
        """Run `up` and wait until it has told where it is."""
        process = self.launch()
        process.until(lambda: self._address(process) is not None, missing="the platform's address")
        return process

    @contextlib.contextmanager
    def entered(self, process: Process) -> Iterator[Town]:
        """Come to its doors."""
        found = self._address(process)
        assert found is not None
        urls = {"activities": found.api_url, "ledger": found.api_url}
        programme_id = UUID((self.folder / "programme").read_text())
        issuer = EmbeddedIssuer(self.folder, Settings())
        with town(urls, pages_url=found.console_url, programme_id=programme_id, issuer=issuer) as here:
            yield here

    @property
    def server_pid(self) -> int:
        """The embedded PostgreSQL's process."""
        return int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])

    def _address(self, process: Process) -> Address | None:
        found = running(self.folder)
        return found if found is not None and found.pid == process.pid else None


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """Prepare a platform in a folder of its own."""
    with open_folder() as folder, processes(tmp_path) as started:
        yield Platform(folder, started)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; one that nobody has reaped yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def lines(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def attendance(day: int) -> bytes:
    """Write one sheet: everybody was two hours on the shift of one day."""
    date = f"2022-03-{day:02d}"
    return lines(
        "listing_reference,shift_number,employee_number,checked_in_at,checked_out_at,evidence",
        *(f"L-1,{day},E-{number},{date} 09:00,{date} 11:00,attested" for number in range(PEOPLE)),
    )


class Importer:
    """An operator who brings in sheets, one after the other."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.operator = Person(town, Role.OPERATOR)
        self.committed = 0

    def prepare(self) -> None:
        """Record who and what the sheets name."""
        partner = {"name": "社区关怀中心", "agreement": "signed", "since": "2022-01-01"}
        self.operator.put("/api/activities/partners/P-1", partner)
        terms = {
            "effective_from": "2022-01-01T00:00:00+08:00", "fen_per_hour": 10_000, "step_minutes": 30,
            "min_minutes": 30, "max_minutes": 480,
        }  # fmt: skip
        proposed = Person(self.town, Role.FINANCE).post("/api/ledger/policy-versions", terms)
        Person(self.town, Role.FINANCE_APPROVER).decide(f"/api/ledger/policy-versions/{proposed['id']}", "approve")
        volunteers = (f"E-{number},V {number}" for number in range(PEOPLE))
        self._bring_in("volunteers", lines("employee_number,display_name", *volunteers))
        header = "partner_reference,listing_reference,title,shift_number,starts_at,ends_at,capacity"
        days = (f"2022-03-{day:02d}" for day in range(1, SHEETS + 1))
        shifts = (f"P-1,L-1,Care,{number},{day} 09:00,{day} 12:00,500" for number, day in enumerate(days, 1))
        self._bring_in("shifts", lines(header, *shifts))

    def bring_in_all(self) -> None:
        """Bring in every sheet; stop where nobody answers any more."""
        with contextlib.suppress(Unreachable):
            for day in range(1, SHEETS + 1):
                self._bring_in("attendance", attendance(day))
                self.committed += 1

    def _bring_in(self, kind: str, content: bytes) -> None:
        self.operator.bring_in(kind, content)


def booked(here: Town) -> int:
    return int(Person(here, Role.AUDITOR).get("/api/ledger/waterfall")["participations"])


def until_booked(here: Town, least: int) -> None:
    until(lambda: booked(here) >= least, timeout=60, missing=f"{least} donations")


def kill_while_importing(platform: Platform, when: Callable[[Town], None]) -> int:
    """Start importing, kill -9 when told, and return how many sheets were in."""
    process = platform.start()
    with platform.entered(process) as here, ThreadPoolExecutor(1) as pool:
        importer = Importer(here)
        importer.prepare()
        importing = pool.submit(importer.bring_in_all)
        when(here)
        server_pid = platform.server_pid
        process.kill()
        importing.result(timeout=60)
    until(lambda: is_gone(server_pid), timeout=30, missing="the end of the killed platform's PostgreSQL")
    return importer.committed


def test_a_platform_killed_while_importing_comes_back_with_exact_books(platform: Platform) -> None:
    """F26: committed work is there, the rest can be sent in again, nothing is double, and no server is left behind."""
    committed = kill_while_importing(platform, lambda here: until_booked(here, PEOPLE))
    assert 0 < committed < SHEETS, "killed too late to prove anything"

    process = platform.start()
    server_pid = platform.server_pid
    with platform.entered(process) as here:
        ops = Person(here, Role.OPS)
        until_idle(ops)
        assert booked(here) >= committed * PEOPLE
        Importer(here).bring_in_all()
        until_idle(ops)
        require_exact(here, ops)
    process.end()
    assert is_gone(server_pid)


def require_exact(here: Town, ops: Person) -> None:
    """Check the oracle: the ledger has what activities has, to the minute and the fen, and nothing is left open."""
    auditor = Person(here, Role.AUDITOR)
    happened = auditor.get("/api/activities/summary", since="2022-01-01", until="2023-01-01")
    waterfall = auditor.get("/api/ledger/waterfall")
    count = SHEETS * PEOPLE
    assert (happened["participations"], happened["service_minutes"]) == (count, count * 120)
    assert (waterfall["participations"], waterfall["credited_minutes"]) == (count, count * 120)
    assert waterfall["accrued"]["fen"] == count * FEN_EACH
    assert auditor.get("/api/ledger/trial-balance")["balanced"]
    assert [ops.get(f"/api/{name}/flow")["dead_letters"] for name in ("activities", "ledger")] == [0, 0]


def test_a_platform_killed_in_the_middle_of_a_commit_brings_the_sheet_in_once(platform: Platform) -> None:
    """F26: an ordered commit is neither lost nor doubled; the next process does it, though nobody asks again."""
    process = platform.start()
    with platform.entered(process) as here:
        importer = Importer(here)
        importer.prepare()
        whole = b"\n".join(
            [attendance(1).splitlines()[0], *(row for day in DAYS for row in attendance(day).splitlines()[1:])]
        )
        api, token = here.apis["activities"], importer.operator.token
        path = "/api/activities/imports"
        staged = api.upload(f"{path}/attendance", "whole.csv", whole, token=token, timezone="Asia/Shanghai")
        api.post(f"{path}/{staged['id']}/commit", {}, token=token)
        ops = Person(here, Role.OPS)
        until(lambda: commit_run(ops)["state"] == "running", timeout=30, missing="a worker on the commit")
        server_pid = platform.server_pid
        process.kill()
    until(lambda: is_gone(server_pid), timeout=30, missing="the end of the killed platform's PostgreSQL")

    process = platform.start()
    with platform.entered(process) as here:
        operator, ops = Person(here, Role.OPERATOR), Person(here, Role.OPS)
        until(
            lambda: operator.get(f"{path}/{staged['id']}")["state"] == "committed", timeout=60, missing="the commit"
        )  # fmt: skip
        assert commit_run(ops)["attempts"] == 2, "it was killed before it began, or after it had ended"
        until_idle(ops)
        require_exact(here, ops)
    process.end()


def commit_run(ops: Person) -> dict[str, Any]:
    """Return the newest run of a commit."""
    runs = ops.get("/api/activities/task-runs")["items"]
    return next(run for run in runs if run["task"] == "activities.commit_import")


def test_a_folder_in_use_is_refused_and_left_alone(platform: Platform) -> None:
    """A second `up` over one folder says so in one line and ends; the first goes on."""
    first = platform.start()
    second = platform.launch()

    assert second.wait() == 2
    assert "another Popcandy already runs in" in second.output.splitlines()[-1]
    with platform.entered(first) as here:
        assert booked(here) == 0
    first.end()
