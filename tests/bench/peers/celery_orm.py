"""Celery, a task over the ORM: prefork with a process a core, late acknowledgement so that nothing is lost."""

from uuid import UUID

from celery import Celery
from celery.signals import worker_process_init
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.bench.peers import orm
from tests.bench.peers.environment import AMQP_URL, DATABASE_URL

app = Celery("celery_orm", broker=AMQP_URL)
app.conf.update(task_acks_late=True, task_ignore_result=True)
engine = create_engine(DATABASE_URL)


@worker_process_init.connect
def leave_the_parents_connections(**_: object) -> None:
    engine.dispose(close=False)


@app.task
def accrue(event_id: str, body: str) -> None:
    with Session(engine) as session, session.begin():
        orm.accrue(session, UUID(event_id), body)
