"""The same relay in front of dramatiq, by whose own client it sends: a row, a confirm (BlockingChannel), a delete."""

from tests.bench.peers.dramatiq_orm import accrue, broker
from tests.bench.peers.relay_rows import drain

if __name__ == "__main__":
    broker.confirm_delivery = True  # Each send then waits until RabbitMQ has the message.
    drain(lambda row: accrue.send(str(row.event_id), row.body))
