"""The lists of all services: each of their orders has an index, and each is described and served in three formats."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from launch.services import SERVICES
from services.activities.attendance import queries as attendance
from services.activities.attendance.schemas import ATTENDANCES
from services.activities.calendar_feeds import queries as calendar_feeds
from services.activities.calendar_feeds.schemas import CALENDAR_FEEDS
from services.activities.certificates import queries as certificates
from services.activities.certificates.schemas import CERTIFICATES
from services.activities.claims import queries as claims
from services.activities.claims.schemas import CLAIMS
from services.activities.deliverables import queries as deliverables
from services.activities.deliverables.schemas import DELIVERABLES
from services.activities.feedback import queries as feedback
from services.activities.feedback.schemas import FEEDBACK, REMARKS
from services.activities.incidents import queries as incidents
from services.activities.incidents.schemas import INCIDENTS
from services.activities.kit_returns import queries as kit_returns
from services.activities.kit_returns.schemas import KIT_COSTS
from services.activities.kits import queries as kits
from services.activities.kits.schemas import KITS
from services.activities.listings import queries as listings
from services.activities.listings.schemas import LISTINGS, SHIFTS
from services.activities.manifests import queries as manifests
from services.activities.manifests.schemas import MANIFESTS
from services.activities.merges import queries as merges
from services.activities.merges.schemas import MERGES
from services.activities.openings import queries as openings
from services.activities.openings.schemas import OPENINGS
from services.activities.proposals import queries as proposals
from services.activities.proposals.schemas import PROPOSALS
from services.activities.reliability import queries as reliability
from services.activities.reliability.schemas import APPEALS
from services.activities.rosters import queries as rosters
from services.activities.rosters.schemas import WALK_INS
from services.activities.rounds import queries as rounds
from services.activities.rounds.schemas import ROUNDS
from services.activities.volunteers import queries as volunteers
from services.activities.volunteers.schemas import VOLUNTEERS
from services.ledger.donations import queries as donations
from services.ledger.donations.schemas import DONATIONS
from services.ledger.journal import queries as journal
from services.ledger.journal.schemas import BALANCES
from services.ledger.policies import queries as policies
from services.ledger.policies.schemas import POLICY_VERSIONS
from shared.audit.entries import entries_of
from shared.auth.scopes import Scope
from shared.bus.dead_letters import post_mortem, replays
from shared.bus.tasks.listing import runs_of
from shared.database.keyset import Rows
from shared.database.server import Server
from shared.database.sessions import Database
from shared.documents.exports import CSV_MEDIA_TYPE, XLSX_MEDIA_TYPE
from shared.imports import queries as imports
from shared.web.audit_entries import AUDIT_ENTRIES
from shared.web.import_lists import IMPORTS
from shared.web.letter_lists import DEAD_LETTERS, REPLAY_LIST
from shared.web.lists import Listed
from shared.web.task_runs import TASK_RUNS
from tests.architecture.test_routes import app_of, operations
from tests.explaining import nodes_of, plan_of

PROGRAMME: Final = uuid4()


@dataclass(frozen=True)
class Known:
    """A list of a service, and what staff sees of it."""

    service: str
    listed: Listed
    rows: Rows

    def __str__(self) -> str:
        return f"{self.service} {self.listed.file}"


LISTS = [
    Known("activities", VOLUNTEERS, volunteers.volunteers_of(PROGRAMME)),
    Known("activities", CLAIMS, claims.claims_of(Scope(PROGRAMME))),
    Known("activities", DELIVERABLES, deliverables.deliverables_of(Scope(PROGRAMME))),
    Known("activities", WALK_INS, rosters.walk_ins_of(Scope(PROGRAMME))),
    Known("activities", KITS, kits.kits_of(Scope(PROGRAMME))),
    Known("activities", KIT_COSTS, kit_returns.costs_of(PROGRAMME, None)),
    Known("activities", INCIDENTS, incidents.incidents_of(incidents.Scope(PROGRAMME))),
    Known("activities", ROUNDS, rounds.rounds_of(PROGRAMME)),
    Known("activities", APPEALS, reliability.appeals_of(PROGRAMME)),
    Known("activities", MANIFESTS, manifests.manifests_of(PROGRAMME)),
    Known("activities", MERGES, merges.merges_of(PROGRAMME)),
    Known("activities", LISTINGS, listings.listings_of(PROGRAMME, None)),
    Known("activities", SHIFTS, listings.shifts_of(PROGRAMME, None)),
    Known("activities", OPENINGS, openings.openings_of(PROGRAMME, None, now=datetime(2022, 6, 1, tzinfo=UTC))),
    Known("activities", PROPOSALS, proposals.listed(PROGRAMME, None)),
    Known("activities", ATTENDANCES, attendance.attendances_of(PROGRAMME, None)),
    Known("activities", CALENDAR_FEEDS, calendar_feeds.feeds_of(Scope(PROGRAMME))),
    Known("activities", CERTIFICATES, certificates.certificates_of(PROGRAMME, None)),
    Known("activities", FEEDBACK, feedback.feedback_of(PROGRAMME, None)),
    Known("activities", REMARKS, feedback.remarks_of(PROGRAMME, None)),
    Known("ledger", POLICY_VERSIONS, policies.versions_of(PROGRAMME)),
    Known("ledger", BALANCES, journal.balances_of(PROGRAMME, None)),
    Known("ledger", DONATIONS, donations.donations_of(PROGRAMME, None)),
    Known("ledger", DEAD_LETTERS, post_mortem.letters_of(PROGRAMME)),
    Known("ledger", REPLAY_LIST, replays.replays_of(PROGRAMME)),
    Known("ledger", TASK_RUNS, runs_of(PROGRAMME)),
    Known("activities", AUDIT_ENTRIES, entries_of(PROGRAMME)),
    Known("activities", IMPORTS, imports.standings_of(imports.Scope(PROGRAMME, ["volunteers", "shifts"]))),
]
# Fields that have no one value: the columns of theirs.
ELSEWHERE: Final = {
    "shifts": {"shift_count"},
    "answers": {"answers_json"},
    "fen_per_hour": {"rate"},
    "roles": {"role_names"},
    "skills": {"skill_codes"},
    "changes": {"changes_json"},
    "counts": {"counts_json"},
    "preview": {"preview.create", "preview.update", "preview.skip", "preview.rejected"},
    "result": {"created", "updated", "skipped"},
    "failure": {"failure_code"},
}
SOME_VALUE: dict[type, Any] = {
    UUID: UUID(int=22),
    datetime: datetime(2022, 6, 1, tzinfo=UTC),
    date: date(2022, 6, 1),
    int: 22,
    str: "22",
}


@pytest.fixture(scope="module")
def databases(server: Server) -> Iterator[dict[str, Database]]:
    """Open each service's database, empty as the migrations made it."""
    own = Server(server.url, prefix="lists_")
    for service in SERVICES:
        own.prepare(service.name)
    found = {service.name: own.open(service.name, pool_size=1) for service in SERVICES}
    yield found
    for database in found.values():
        database.close()


def explained(tx: Session, known: Known, order_name: str, *, from_place: bool) -> list[dict[str, Any]]:
    """Return the plan's nodes of a page where nothing but the want of an index makes PostgreSQL sort."""
    for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort"):
        tx.execute(text(f"SET LOCAL {setting} = off"))
    order = known.listed.declared.order(order_name)
    place = [SOME_VALUE[sort.column.type.python_type] for sort in order.sorts]
    rows = order.behind(known.rows, place) if from_place else known.rows
    return list(nodes_of(plan_of(tx, order.sorted(rows).limit(51))))


@pytest.mark.parametrize("known", LISTS, ids=str)
def test_each_order_has_an_index(databases: dict[str, Database], known: Known) -> None:
    """A page is read from where it begins: nothing is sorted, and nothing before it is looked at."""
    for name in known.listed.declared.orders:
        for from_place in (False, True):
            with databases[known.service].transaction() as tx:
                nodes = explained(tx, known, name, from_place=from_place)

            assert not [node for node in nodes if "Sort" in node["Node Type"]], name
            assert not [node for node in nodes if "ROW(" in node.get("Filter", "")], name


@pytest.mark.parametrize("known", LISTS, ids=str)
def test_each_column_has_two_headings_of_its_own(known: Known) -> None:
    """Two columns of one name cannot be told apart."""
    for language in ("zh", "en"):
        headings = [getattr(title, language) for title in known.listed.columns.values()]
        assert len(set(headings)) == len(headings)
        assert all(headings)


@pytest.mark.parametrize("known", LISTS, ids=str)
def test_a_file_shows_what_a_page_shows(known: Known) -> None:
    """A field that is added to one is added to the other, or left out with a reason that stands here."""
    left_out = {"superseded_at"}  # Null in each donation that stands.

    fields = {column for name in known.listed.item.model_fields for column in ELSEWHERE.get(name, {name})} - left_out

    assert fields == set(known.listed.columns)


def gets() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return each GET that answers with items, as its document describes it."""
    for service in SERVICES:
        for path, operation in operations(app_of(service).openapi()):
            answer = operation["responses"].get("200", {}).get("content", {})
            reference = answer.get("application/json", {}).get("schema", {}).get("$ref", "")
            if reference.endswith(("Page", "Causes", "TrialBalance")):
                yield path, operation


def test_every_list_is_described_in_three_formats() -> None:
    """With the sorts that there are, and a sentence for each parameter."""
    described = dict(gets())
    known = {known.listed.file for known in LISTS}  # One that is missing above would have no look at its indexes.

    assert {path.rpartition("/")[2] for path in described} == known | {"causes", "trial-balance"}
    for path, operation in described.items():
        assert set(operation["responses"]["200"]["content"]) == {"application/json", CSV_MEDIA_TYPE, XLSX_MEDIA_TYPE}
        assert {"406", "429"} <= set(operation["responses"])
        parameters = {each["name"]: each for each in operation["parameters"]}
        assert all(each["description"] for each in parameters.values()), path
        if not path.endswith(("/causes", "/trial-balance")):
            assert {"cursor", "limit", "sort", "format"} <= set(parameters)
            assert len(parameters["sort"]["schema"]["enum"]) >= 2
            assert parameters["limit"]["schema"].items() >= {"default": 50, "minimum": 1, "maximum": 200}.items()


def test_no_route_pages_in_a_way_of_its_own() -> None:
    """`after`, `before`, `offset` and `page` are gone."""
    for service in SERVICES:
        for path, operation in operations(app_of(service).openapi()):
            names = {each["name"] for each in operation.get("parameters", [])}
            assert not names & {"after", "before", "offset", "page", "employee_number"}, path
