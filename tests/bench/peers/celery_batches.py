"""celery-batches with our own statements: the strongest peer, for it batches as we do."""

from collections.abc import Sequence
from uuid import UUID

from celery import Celery
from celery.signals import worker_process_init
from celery_batches import Batches, SimpleRequest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from services.ledger.donations import actions
from shared import clock
from shared.events.activities import AttendanceSettled
from tests.bench.peers.environment import AMQP_URL, DATABASE_URL
from tests.bench.peers.orm import HANDLER

BATCH = 500

app = Celery("celery_batches", broker=AMQP_URL)
app.conf.update(task_acks_late=True, task_ignore_result=True, worker_prefetch_multiplier=0)  # Its README: no limit.
engine = create_engine(DATABASE_URL)
MARK = text("""
    INSERT INTO inbox (event_id, handler, type, body)
    SELECT event_id, :handler, :type, body
    FROM unnest(CAST(:ids AS uuid[]), CAST(:bodies AS bytea[])) AS e(event_id, body)
    ON CONFLICT DO NOTHING RETURNING event_id
""")


@worker_process_init.connect
def leave_the_parents_connections(**_: object) -> None:
    engine.dispose(close=False)


@app.task(base=Batches, flush_every=BATCH, flush_interval=1)
def accrue(requests: Sequence[SimpleRequest]) -> None:
    bodies = {UUID(event_id): body for event_id, body in (request.args for request in requests)}
    ids = sorted(bodies)
    with Session(engine) as tx, tx.begin():
        marked = tx.scalars(
            MARK,
            {
                "handler": HANDLER,
                "type": AttendanceSettled.type,
                "ids": ids,
                "bodies": [bodies[event_id].encode() for event_id in ids],
            },
        )
        facts = [AttendanceSettled.model_validate_json(bodies[event_id]) for event_id in marked]
        actions.accrue(tx, facts, now=clock.now())
