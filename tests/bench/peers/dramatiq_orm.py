"""dramatiq, an actor over the ORM; `dramatiq <module>` as its guide says: a process a core, eight threads."""

from uuid import UUID

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.bench.peers import orm
from tests.bench.peers.environment import AMQP_URL, DATABASE_URL

broker = RabbitmqBroker(url=AMQP_URL)
dramatiq.set_broker(broker)
engine = create_engine(DATABASE_URL)


@dramatiq.actor
def accrue(event_id: str, body: str) -> None:
    with Session(engine) as session, session.begin():
        orm.accrue(session, UUID(event_id), body)
