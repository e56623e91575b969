"""What workers decide again."""

from uuid import UUID

from services.activities.eligibility import actions as eligibility
from services.activities.revisions import actions
from shared import bus, telemetry
from shared.bus import Job

log = telemetry.get_logger()


@bus.work(eligibility.revise_eligibility, max_retries=10, time_limit_ms=300_000, backoff_seconds=2)
def revise_eligibility(job: Job, people: str) -> None:
    """Decide again what is settled of the people, given by id with commas; in one transaction."""
    with job.transaction() as tx:
        revised = actions.revise_eligibility(tx, [UUID(person) for person in people.split(",")], now=job.now())
        job.finish(tx)
    log.info("eligibility.revised", attendances=revised)
