"""The migrations make what the tables say, and can be taken back."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.claims.tables import Claim
from services.activities.consents import actions as consents
from services.activities.consents.actions import Record
from services.activities.consents.rules import TERMS, Purpose
from services.activities.consents.tables import Consent
from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.rules import Interval
from services.activities.feedback_forms.rules import FORMS, Side, written
from services.activities.feedback_forms.tables import FeedbackForm
from services.activities.incidents import actions as incidents
from services.activities.incidents.tables import Incident, IncidentNote
from services.activities.kit_returns.tables import KitCost
from services.activities.kits.tables import Kit, KitAddress, KitTerms
from services.activities.listings import actions as listings
from services.activities.listings.tables import Listing, ListingWords
from services.activities.personal_data import actions as personal_data
from services.activities.personal_data.tables import Access
from services.activities.profiles import actions as profiles
from services.activities.proposals.rules import State as ProposalState
from services.activities.proposals.tables import Proposal, ProposalVersion
from services.activities.reviews import actions as reviews
from services.activities.reviews.tables import ProposalComment, ProposalDecision
from services.activities.scans.tables import Scan
from services.activities.sign_ups.rules import PLACED, State
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from services.activities.work_files.tables import WorkFile
from shared.database import migrate
from shared.database.server import Server
from shared.ids import new_id
from shared.imports.tables import Import
from tests.activities.sheets import brought, commit_by_id, order
from tests.factories.activities import (
    FIRST_OF_JUNE,
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    make_appeal,
    make_claim,
    make_incident,
    make_merge,
    make_partner,
    make_pause,
    make_round,
    make_round_calendar,
    make_settled,
    make_shift,
    make_sign_up,
    make_skill,
    make_standing,
    make_volunteer,
    make_walk_in,
)
from tests.factories.certificates import make_certificate
from tests.factories.deliverables import make_submitted, make_work_shift
from tests.factories.feedback import make_feedback
from tests.factories.kits import make_address, make_kit, make_kit_cost
from tests.factories.proposals import make_proposal
from tests.servers.schema import CONSTRAINTS, INDEXES, described, differences, drafted

METADATA = Volunteer.metadata
_IMPORT = text("""
    INSERT INTO sheet_import (id, programme_id, kind, state, file_name, file_kind, timezone, creates, updates, skips,
        rejects, errors, samples, staged_by, staged_at)
    VALUES (:id, :programme, 'volunteers', 'staged', 'a.csv', 'csv', 'UTC', 0, 0, 0, 0, '[]', '{}', :person, :at)
""")
_OLD = text("""
    INSERT INTO import (programme_id, kind, file_name, good, rejected, errors, staged_by, staged_at, committed_at,
        added, unchanged, staged, reject_file)
    VALUES
    (:programme, 'volunteers', '名单.XLSX', 2, 1, '[{"cell": "B7", "code": "blank"}]', :person, :at, NULL, NULL, NULL,
        convert_to('{"timezone": "Asia/Shanghai", "rows": [["E1", "合成甲"], ["E2", "合成乙"]]}', 'UTF8'), 'file'),
    (:programme, 'attendance', 'a.csv', 5, 0, '[]', :person, :at, :at, 3, 2, NULL, NULL),
    (:programme, 'shifts', 'b.csv', 0, 1, '[]', :person, :at, NULL, NULL, NULL,
        convert_to('{"timezone": "UTC", "rows": []}', 'UTF8'), 'file')
""")
_OLD_ROWS = text("""
    SELECT kind, file_name, good, rejected, errors, committed_at, added, unchanged,
        convert_from(staged, 'UTF8')::jsonb AS staged, reject_file
    FROM import ORDER BY kind
""")
KEPT: dict[type, int] = {Volunteer: 3, SignUp: 4}
STEPS = ["0006_imports", "0005_check_ins", "0004_attendance", "0003_sign_ups", "0002_listings", "0001_volunteers"]


@pytest.fixture
def apart(server: Server) -> Iterator[Server]:
    """Prepare an activities database of this test's own."""
    apart = Server(server.url, prefix=f"{server.prefix}apart_")
    apart.prepare("activities")
    yield apart
    apart.drop("activities")


@pytest.fixture
def migrated(apart: Server) -> Iterator[Connection]:
    """Reach it as the schema's owner."""
    with create_engine(apart.database_url("activities"), poolclass=NullPool).connect() as connection:
        yield connection


def test_columns_are_what_the_code_reads(migrated: Connection) -> None:
    """No migration was forgotten."""
    assert differences(migrated, METADATA) == []


def test_constraints_and_indexes_are_what_the_code_says(migrated: Connection) -> None:
    """Checks and partial indexes too, which Alembic does not compare."""
    draft = drafted(migrated, METADATA)
    for what in (CONSTRAINTS, INDEXES):
        is_there = described(migrated, METADATA, what, schema="public")
        assert is_there == described(migrated, METADATA, what, schema=draft) != []


def make_kit_of(tx: Session, person: Volunteer) -> None:
    """Make a kit that is lost, with what it cost, and an address that is left."""
    kit = make_kit(tx, place=make_sign_up(tx, make_shift(tx), volunteer=person), state="lost")
    make_address(tx, kit, consents_to_it=False)
    make_kit_cost(tx, kit)


def fill(apart: Server) -> None:
    """Write a row into every table, as the running service does."""
    database = apart.open("activities", pool_size=1)
    with database.transaction() as tx:
        somebody = make_volunteer(tx)
        purpose = Purpose.PARTNER_ROSTER
        consented = Record(PROGRAMME, somebody.id, purpose, "zh", somebody.id, None, NINE)
        make_skill(tx)
        letter = eligibility.Record(PROGRAMME, "letter", REVIEWER, NINE)
        eligibility.take_over(tx, letter, {somebody.id: Interval(date(2020, 1, 1), None)})
        consents.give(tx, consented, version=TERMS[purpose].current.version)
        personal_data.erase(tx, personal_data.Request(PROGRAMME, somebody.id, REVIEWER, "asked", NINE))
        proposal = make_proposal(tx, state=ProposalState.APPROVED, call=make_round(tx))
        reviews.comment(
            tx, programme_id=PROGRAMME, proposal_id=proposal.id, partner_id=None, body="好", by=REVIEWER, now=NINE
        )
        reviews.publish_approved(tx, now=NINE + timedelta(days=10))
        record = make_settled(tx, make_shift(tx))
        incident = make_incident(tx, shift=make_shift(tx))
        incidents.add_note(
            tx, programme_id=PROGRAMME, incident_id=incident.id, words="noted", written_by=REVIEWER, now=NINE
        )
        shift, person = make_shift(tx, concluded_at=NOON), tx.get_one(Volunteer, record.volunteer_id)
        make_claim(tx, make_sign_up(tx, shift, volunteer=person, state="missed"), shift=shift)
        make_walk_in(tx, make_shift(tx), volunteer_id=person.id)
        make_submitted(tx, shift=(work := make_work_shift(tx)), place=make_sign_up(tx, work, volunteer=person))
        make_appeal(tx, sign_up_id=make_sign_up(tx, make_shift(tx), state="withdrawn").id)
        make_merge(tx, kept_id=somebody.id, merged_id=record.volunteer_id)
        said = profiles.Said(record.volunteer_id, "研发")
        profiles.take_over(tx, [said], programme_id=PROGRAMME, by=REVIEWER, now=NINE)
        told = make_partner(tx, agreement_from=FIRST_OF_JUNE, agreement_version=1)
        make_standing(tx, told)
        make_pause(tx, told)
        make_round_calendar(tx)
        make_certificate(tx, record)
        make_kit_of(tx, person)
        make_feedback(tx, record, texts={"liked": "海边"})
        form = written(FORMS[Side.HOST])
        publish = {"published_by": REVIEWER, "published_at": NINE}
        tx.add(FeedbackForm(programme_id=PROGRAMME, side="host", version=1, document=form, **publish))
        tx.add(Scan(shift_id=record.shift_id, volunteer_id=record.volunteer_id, way="in", step=1, scanned_at=NINE))
        tx.execute(_IMPORT, {"id": new_id(), "programme": PROGRAMME, "person": REVIEWER, "at": NINE})
    database.close()


def counted(connection: Connection, *tables: type) -> list[int]:
    with Session(connection) as session:
        return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_up_down_up_on_rows(apart: Server, migrated: Connection) -> None:
    """Each step back takes its own tables' rows and no others'; then the way up is free again."""
    fill(apart)
    url = apart.database_url("activities")
    kept: list[tuple[type, ...]] = [
        (Attendance, AttendanceVersion, Scan), (Attendance, AttendanceVersion, Scan), (Attendance, AttendanceVersion),
        (SignUp,), (Volunteer,), (Volunteer,),
    ]  # fmt: skip
    for step, tables in zip(STEPS, kept, strict=True):
        migrate.downgrade(url, "activities", f"activities@{step}")
        assert counted(migrated, *tables) == [KEPT.get(table, 1) for table in tables]
        migrated.rollback()

    migrate.downgrade(url, "activities", "base")
    left = migrated.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
    functions = migrated.execute(
        text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    ).scalar_one()
    migrated.rollback()
    assert (left, functions) == (["alembic_version"], 0)

    migrate.upgrade(url, "activities")
    assert differences(migrated, METADATA) == []
    fill(apart)
    assert counted(migrated, Attendance, AttendanceVersion, Scan, Import, SignUp) == [1, 1, 1, 1, 5]
    assert counted(migrated, KitTerms, Kit, KitAddress, KitCost) == [1, 1, 1, 1]
    assert counted(migrated, Consent, Access, Claim, Incident, IncidentNote) == [2, 1, 1, 1, 1]
    assert counted(migrated, Deliverable, Submission, WorkFile) == [1, 1, 1]


def test_what_came_of_a_proposal_stays_a_listing(apart: Server, migrated: Connection) -> None:
    """After a way back, with its shifts; proposals can be taken again then."""
    fill(apart)
    url = apart.database_url("activities")
    published = text("SELECT count(*) FROM listing l JOIN shift s ON s.listing_id = l.id WHERE reference = 'R001-0001'")
    migrate.downgrade(url, "activities", "activities@0011_rounds")
    assert migrated.execute(published).scalar_one() == 1
    migrated.rollback()

    migrate.upgrade(url, "activities")

    assert counted(migrated, Proposal, ProposalVersion, ProposalDecision, ProposalComment) == [0, 0, 0, 0]
    assert differences(migrated, METADATA) == []


def test_what_was_published_before_is_found_after_a_timer(apart: Server, migrated: Connection) -> None:
    """Also by the skills that its proposal asked for; a listing of nobody's proposal asks for none."""
    fill(apart)
    url = apart.database_url("activities")
    migrate.downgrade(url, "activities", "activities@0025_kits")
    migrated.execute(text("UPDATE skill SET title_zh = '体力', code = 'lifting'"))
    migrated.commit()

    migrate.upgrade(url, "activities")

    skills = migrated.execute(text("SELECT DISTINCT skills FROM listing ORDER BY skills")).scalars().all()
    assert skills == [[], ["lifting", "分类"]]
    assert counted(migrated, Listing) == counted(migrated, ListingWords)
    migrated.rollback()
    database = apart.open("activities", pool_size=1)
    with database.transaction() as tx:
        listings.read_listings(tx)
    database.close()
    found = text("SELECT count(*) FROM listing_words WHERE words @@ 'xiamen'")
    assert migrated.execute(found).scalar_one() == 1


def test_who_was_erased_is_so_again_after_a_way_back(apart: Server, migrated: Connection) -> None:
    """The pseudonyms stay, so the way up marks them; people with names are left as they are."""
    fill(apart)
    url = apart.database_url("activities")
    migrate.downgrade(url, "activities", "activities@0007_imports_by_the_kit")

    migrate.upgrade(url, "activities")

    marks = migrated.execute(select(Volunteer.employee_number.startswith("erased:"), Volunteer.erased_at.is_not(None)))
    assert sorted(tuple(row) for row in marks) == [(False, False), (False, False), (True, True)]


def test_places_keep_what_is_known_of_them(apart: Server, migrated: Connection) -> None:
    """What was given back is `withdrawn`, all others have their place; on the way back nobody else counts."""
    database = apart.open("activities", pool_size=1)
    with database.transaction() as tx:
        shift = make_shift(tx)
        for state in State:
            make_sign_up(tx, shift, state=state)
    database.close()
    url = apart.database_url("activities")
    migrate.downgrade(url, "activities", "activities@0011_rounds")
    before = migrated.execute(text("SELECT count(*) FILTER (WHERE withdrawn_at IS NULL), count(*) FROM sign_up"))
    assert tuple(before.one()) == (len(PLACED), len(State))
    assert migrated.execute(text("SELECT taken FROM shift")).scalar_one() == len(PLACED)
    migrated.rollback()

    migrate.upgrade(url, "activities")

    states = migrated.execute(text("SELECT state, count(*) FROM sign_up GROUP BY state ORDER BY state")).all()
    assert [tuple(row) for row in states] == [("confirmed", len(PLACED)), ("withdrawn", len(State) - len(PLACED))]


def test_imports_of_the_last_release_move_to_the_kit_and_back(apart: Server, migrated: Connection) -> None:
    """Staged ones can still be committed, with what they were staged for; nothing is lost either way."""
    url = apart.database_url("activities")
    migrate.downgrade(url, "activities", "activities@0006_imports")
    values = {"programme": PROGRAMME, "person": REVIEWER, "at": NINE}
    migrated.execute(_OLD, values)
    migrated.commit()
    before = migrated.execute(_OLD_ROWS).all()
    migrated.rollback()

    migrate.upgrade(url, "activities")
    database = apart.open("activities", pool_size=2)
    with database.transaction() as tx:
        staged = tx.scalars(select(Import).where(Import.kind == "volunteers")).one()
        assert (staged.state, staged.creates, staged.rejects, staged.file_kind) == ("staged", 2, 1, "xlsx")
        order(tx, staged.id, skip_rejected=True)
        tx.rollback()
    database.close()
    migrate.downgrade(url, "activities", "activities@0006_imports")

    assert migrated.execute(_OLD_ROWS).all() == before
    migrated.rollback()
    migrate.upgrade(url, "activities")
    database = apart.open("activities", pool_size=2)
    with database.transaction() as tx:
        staged = tx.scalars(select(Import).where(Import.kind == "volunteers")).one()
        assert brought(commit_by_id(tx, staged.id, skip_rejected=True)) == (2, 0, 0)
        known = tx.execute(select(Volunteer.employee_number, Volunteer.display_name)).all()
        assert sorted(tuple(row) for row in known) == [("E1", "合成甲"), ("E2", "合成乙")]
    database.close()


class TestGuards:
    """What the database itself refuses, whoever asks."""

    def refused(self, tx: Session, statement: str) -> str:
        with pytest.raises(DBAPIError) as refusal, tx.begin_nested():
            tx.execute(text(statement))
        return str(getattr(refusal.value.orig, "sqlstate", None))

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE attendance_version SET service_minutes = 600",
            "DELETE FROM attendance_version",
            "TRUNCATE attendance_version",
            "ALTER TABLE attendance_version DISABLE TRIGGER append_only",
            "UPDATE consent SET decision = 'given'",
            "DELETE FROM consent",
            "UPDATE personal_data_access SET reason = NULL",
            "TRUNCATE personal_data_access",
            "UPDATE proposal_version SET findings = '[]'",
            "DELETE FROM proposal_decision",
            "UPDATE proposal_comment SET body = ''",
            "UPDATE incident_note SET text = ''",
            "UPDATE feedback_form SET document = '{}'",
            "TRUNCATE feedback_form",
            "DROP TABLE attendance_version",
        ],
    )
    def test_the_service_cannot_change_history(self, tx: Session, change: str) -> None:
        """Its role lacks the right."""
        make_settled(tx, make_shift(tx))
        assert self.refused(tx, change) == "42501"

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE attendance_version SET service_minutes = 600",
            "DELETE FROM attendance_version",
            "TRUNCATE attendance_version",
            "UPDATE consent SET decision = 'given'",
            "DELETE FROM consent",
            "DELETE FROM personal_data_access",
            "DELETE FROM proposal_version",
            "UPDATE proposal_decision SET note = ''",
            "TRUNCATE proposal_comment",
            "DELETE FROM incident_note",
            "DELETE FROM feedback_form",
        ],
    )
    def test_nor_can_the_owner_by_mistake(self, apart: Server, migrated: Connection, change: str) -> None:
        """A trigger stands in the way of a hurried psql session."""
        fill(apart)
        with Session(migrated) as owner:
            assert self.refused(owner, change) == "PC001"

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE attendance SET matchable_minutes = service_minutes + 1",
            "UPDATE attendance SET matchable_minutes = -1",
            "UPDATE attendance SET version = 0",
            "UPDATE attendance SET state = 'checked_in'",
            "UPDATE attendance SET state = 'paid'",
            "UPDATE attendance SET evidence = 'hearsay'",
            "UPDATE attendance SET evidence = NULL",
            "UPDATE attendance SET ended_at = started_at - interval '1 minute'",
            "UPDATE shift SET state = 'cancelled'",
            "UPDATE shift SET ends_at = starts_at",
            "UPDATE shift SET ends_at = starts_at + interval '24 hours 1 minute'",
            "UPDATE shift SET capacity = 0",
            "UPDATE shift SET taken = -1",
            "UPDATE sign_up SET source = 'unknown'",
            "UPDATE proposal SET state = 'lost'",
            "UPDATE proposal SET mode = 'in_space'",
            "UPDATE proposal SET submissions = 0",
            "UPDATE proposal SET submissions = 0, submitted_at = NULL",
            "UPDATE proposal SET decided_at = NULL",
            "UPDATE proposal SET state = 'withdrawn', decided_at = NULL",
            "UPDATE proposal SET state = 'in_review', decided_at = NULL, reviewer_id = NULL",
            "UPDATE proposal SET published_at = now()",
            "UPDATE listing SET mode = 'in_space'",
            "UPDATE sign_up SET state = 'unknown', ended_at = now()",
            "UPDATE sign_up SET state = 'missed'",
            "UPDATE sign_up SET ended_at = now()",
            "UPDATE sign_up SET state = 'offered'",
            "UPDATE sign_up SET offer_expires_at = now()",
            "UPDATE sign_up SET ended_because = 'late'",
            "UPDATE volunteer SET erased_at = now()",
            "UPDATE volunteer SET employee_number = 'erased:1'",
            "UPDATE certificate SET state = 'lost', ended_at = now()",
            "UPDATE certificate SET state = 'superseded'",
            "UPDATE certificate SET ended_at = now()",
            "UPDATE certificate SET state = 'revoked', ended_at = now()",
            "UPDATE certificate SET revoked_because = 'x'",
            "UPDATE certificate SET service_until = service_from",
            "UPDATE certificate SET total_minutes = 0",
            "UPDATE certificate_issuer SET prefix = 'pc'",
            "UPDATE feedback SET side = 'guest'",
            "UPDATE feedback SET side = 'host'",
            "UPDATE feedback SET volunteer_id = NULL",
            "UPDATE feedback SET version = 0",
            "UPDATE feedback SET form_version = -1",
            "UPDATE kit SET state = 'gone'",
            "UPDATE kit SET state = 'cancelled'",
            "UPDATE kit SET state = 'returned'",
            "UPDATE kit SET state = 'issued'",
            "UPDATE kit SET state = 'received'",
            "UPDATE kit SET pieces = 2",
            "UPDATE kit SET shipped_at = NULL",
            "UPDATE kit SET overdue_at = NULL",
            "UPDATE kit SET lost_at = NULL",
            "UPDATE kit SET cleared_at = now()",
            "UPDATE kit_terms SET ceiling_fen = -1",
            "UPDATE kit_cost SET state = 'paid'",
            "UPDATE kit_cost SET amount_fen = ceiling_fen + 1",
            "UPDATE kit_cost SET amount_fen = 0",
            "UPDATE kit_cost SET state = 'approved', decided_by = kit_id",
            "UPDATE kit_cost SET state = 'approved', decided_by = kit_id, approved_fen = amount_fen + 1",
            "UPDATE kit_cost SET state = 'approved', decided_by = claimed_by, approved_fen = 1",
            "UPDATE kit_cost SET approved_fen = 1",
            "UPDATE kit_cost SET state = 'refused'",
            "UPDATE kit_cost SET state = 'cancelled'",
        ],
    )
    def test_rows_stay_within_their_rules(self, tx: Session, change: str) -> None:
        """Even if an action were wrong."""
        record = make_settled(tx, make_shift(tx))
        make_proposal(tx, state=ProposalState.APPROVED)
        make_feedback(tx, record)
        make_certificate(tx, record)
        make_kit_cost(tx)
        assert self.refused(tx, change) == "23514"
