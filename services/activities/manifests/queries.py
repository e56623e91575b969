"""Reads and locks of day manifests, and of the attendance that they count."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.activities.manifests.tables import DayManifest, ManifestRun
from shared.database.keyset import KeysetList, Sort, since, until
from shared.errors import NotFound

MANIFESTS = KeysetList(
    key=(DayManifest.id,),
    sorts={"service_on": Sort(DayManifest.service_on)},
    filters={
        "service_from": since(DayManifest.service_on, "Of this service date or later."),
        "service_until": until(DayManifest.service_on, "Of a service date before this."),
    },
    default_sort="-service_on",
)
# Every attendance belongs to a partner, so that these are all programmes that have any.
_PROGRAMMES = text("""
    SELECT p.programme_id, coalesce(c.timezone, :usual) FROM (SELECT DISTINCT programme_id FROM partner) p
    LEFT JOIN round_calendar c USING (programme_id) ORDER BY p.programme_id
""")
_TRANSACTIONS = text("""
    SELECT CAST(CAST(pg_snapshot_xmin(s) AS text) AS bigint), CAST(CAST(pg_snapshot_xmax(s) AS text) AS bigint)
    FROM pg_current_snapshot() AS s
""")
# One statement sees one state of the database: the lines, the counts and the versions before are all of one instant.
_COUNT = text("""
    WITH changed AS (
        SELECT DISTINCT a.service_on FROM attendance_version v JOIN attendance a ON a.id = v.attendance_id
        WHERE v.written_in >= :since AND a.programme_id = :programme_id),
    counted AS (
        SELECT service_on, count(*) FILTER (WHERE state = 'settled') AS attendances,
            count(*) FILTER (WHERE state = 'voided') AS voided, sum(service_minutes) AS service_minutes,
            sum(matchable_minutes) AS matchable_minutes,
            encode(sha256(convert_to(
                concat_ws(',', 'popcandy.day_manifest.v1', CAST(:programme_id AS uuid), service_on) || chr(10)
                || string_agg(
                    concat_ws(',', id, version, state, partner_id, listing_id, shift_id, volunteer_id,
                        CAST(extract(epoch FROM started_at) AS bigint), service_minutes, matchable_minutes, evidence)
                    || chr(10), '' ORDER BY id), 'UTF8')), 'hex') AS sha256
        FROM attendance JOIN changed USING (service_on) WHERE programme_id = :programme_id AND version > 0
        GROUP BY service_on),
    latest AS (
        SELECT DISTINCT ON (service_on) service_on, version, sha256 FROM day_manifest JOIN changed USING (service_on)
        WHERE programme_id = :programme_id ORDER BY service_on, version DESC)
    INSERT INTO day_manifest (programme_id, service_on, version, attendances, voided, service_minutes,
        matchable_minutes, sha256, made_at)
    SELECT :programme_id, c.service_on, coalesce(l.version, 0) + 1, c.attendances, c.voided, c.service_minutes,
        c.matchable_minutes, c.sha256, :now
    FROM counted c LEFT JOIN latest l USING (service_on) WHERE l.sha256 IS DISTINCT FROM c.sha256
    ORDER BY c.service_on RETURNING *
""").columns(*DayManifest.__table__.columns)
_COUNTED = select(DayManifest).from_statement(_COUNT)


class Transactions(NamedTuple):
    """How transactions are numbered now: all before `finished` have ended, and none from `newest` on has begun."""

    finished: int
    newest: int


def list_programmes(tx: Session, *, usual: str) -> list[tuple[UUID, str]]:
    """Return all programmes with their zones, by the calendars of their rounds; `usual` where there is none."""
    return [(programme_id, zone) for programme_id, zone in tx.execute(_PROGRAMMES, {"usual": usual})]


def lock_run(tx: Session, programme_id: UUID) -> ManifestRun:
    """Lock how far a programme is counted; nobody else counts it until the transaction ends."""
    tx.execute(insert(ManifestRun).values(programme_id=programme_id).on_conflict_do_nothing())
    rows = select(ManifestRun).where(ManifestRun.programme_id == programme_id).with_for_update()
    return tx.scalars(rows.execution_options(populate_existing=True)).one()


def transactions(tx: Session) -> Transactions:
    """Say which transactions have ended, as the next statement of this one sees them too."""
    return Transactions(*tx.execute(_TRANSACTIONS).one())


def count_changed(tx: Session, *, programme_id: UUID, since: int, now: datetime) -> Sequence[DayManifest]:
    """Make the manifests of all days with attendance written in a transaction from `since` on; return what is new.

    A day whose content is that of its last version gets none. One statement, however many days there are.
    """
    return tx.scalars(_COUNTED, {"programme_id": programme_id, "since": since, "now": now}).all()


def manifests_of(programme_id: UUID) -> Select[DayManifest]:
    """Say which manifests a caller of a programme may see: all of them."""
    return select(DayManifest).where(DayManifest.programme_id == programme_id)


def list_versions(tx: Session, *, programme_id: UUID, service_on: date) -> Sequence[DayManifest]:
    """Return every version of a day's manifest, the newest first. Raises NotFound for a day without any."""
    rows = manifests_of(programme_id).where(DayManifest.service_on == service_on)
    found = tx.scalars(rows.order_by(DayManifest.version.desc())).all()
    if not found:
        raise NotFound(service_on=service_on)
    return found
