"""What can be done about manifests: count days over that have changed, and tell what they come to."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.manifests import queries, rules
from services.activities.manifests.tables import DayManifest
from shared import bus
from shared.events.activities_days import DayManifested
from shared.zones import zone

USUAL_ZONE = "Asia/Shanghai"  # Of a programme without a calendar of rounds.


def count_nightly(tx: Session, *, now: datetime) -> int:
    """Count over the changed days of each programme whose night has begun and is not done; return how many were new."""
    return sum(
        len(_count_tonight(tx, programme_id, timezone, now))
        for programme_id, timezone in queries.list_programmes(tx, usual=USUAL_ZONE)
    )


def _count_tonight(tx: Session, programme_id: UUID, timezone: str, now: datetime) -> Sequence[DayManifest]:
    night = rules.night_of(now, zone(timezone))
    run = queries.lock_run(tx, programme_id)
    if not rules.is_due(night=night, last=run.night):
        return ()
    # Asked before the count: what had ended then is counted now, and all else will be looked at again.
    known = queries.transactions(tx)
    since = rules.counted_since(run.seen_until, newest=known.newest)
    made = queries.count_changed(tx, programme_id=programme_id, since=since, now=now)
    bus.emit_all(tx, [_fact(row) for row in made])
    run.night, run.seen_until = night, known.finished
    return made


def _fact(row: DayManifest) -> DayManifested:
    return DayManifested(
        programme_id=row.programme_id, service_on=row.service_on, version=row.version, attendances=row.attendances,
        voided=row.voided, service_minutes=row.service_minutes, matchable_minutes=row.matchable_minutes,
        sha256=row.sha256, made_at=row.made_at,
    )  # fmt: skip
