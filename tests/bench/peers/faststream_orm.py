"""FastStream, a subscriber over the ORM."""

from uuid import UUID

from faststream import FastStream
from faststream.rabbit import RabbitBroker, RabbitQueue
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.bench.peers import orm
from tests.bench.peers.environment import AMQP_URL, DATABASE_URL

broker = RabbitBroker(AMQP_URL)
QUEUE = RabbitQueue("accrue", durable=True)
app = FastStream(broker)
engine = create_engine(DATABASE_URL)


class Told(BaseModel):
    event_id: UUID
    body: str


@broker.subscriber(QUEUE)
def accrue(told: Told) -> None:
    with Session(engine) as session, session.begin():
        orm.accrue(session, told.event_id, told.body)
