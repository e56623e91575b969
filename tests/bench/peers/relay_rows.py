"""The relay as it is written first: a row, a confirm, a delete; BlockingChannel as pika's guide shows it."""

from collections.abc import Callable
from threading import Event

import pika  # type: ignore[import-untyped]  # pika ships no py.typed.
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import Session

from shared.bus.envelope import letter_of
from shared.bus.tables import Outbox
from tests.bench.peers.environment import AMQP_URL, DATABASE_URL

EXCHANGE = "events"


def drain(send: Callable[[Outbox], object]) -> None:
    """Send row by row, each deleted in the transaction in which the broker has confirmed it."""
    engine, pause = create_engine(DATABASE_URL), Event()
    while True:
        with Session(engine) as session, session.begin():
            row = session.scalars(select(Outbox).order_by(Outbox.position).limit(1).with_for_update()).first()
            if row is None:
                pause.wait(0.1)
                continue
            send(row)
            session.execute(delete(Outbox).where(Outbox.position == row.position))


def run() -> None:
    connection = pika.BlockingConnection(pika.URLParameters(AMQP_URL))
    channel = connection.channel()
    channel.confirm_delivery()

    def publish(row: Outbox) -> None:
        headers = {"ce-partitionkey": row.partition_key, "ce-traceparent": row.traceparent}
        letter = letter_of(
            event_id=row.event_id, event_type=row.type, service="activities", emitted_at=row.emitted_at,
            headers=headers, body=row.body,
        )  # fmt: skip
        properties = pika.BasicProperties(
            content_type="application/json", delivery_mode=2, message_id=str(letter.id), headers=letter.headers
        )
        channel.basic_publish(EXCHANGE, letter.routing_key, letter.body, properties)

    drain(publish)


if __name__ == "__main__":
    run()
