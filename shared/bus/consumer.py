"""The loop between a queue and an inbox."""

import random
from threading import Event as Flag

from sqlalchemy.exc import SQLAlchemyError

from shared import telemetry
from shared.bus.inbox import Inbox
from shared.bus.transport import Delivery, Subscription, Transport, TransportDown
from shared.database.faults import is_transient

FETCH_SECONDS = 0.2
LEAST_PAUSE, LONGEST_PAUSE = 0.2, 10.0

log = telemetry.get_logger()


class Consumer:
    """Takes batches from a service's queue until told to stop; acknowledges only what is durably settled."""

    def __init__(self, transport: Transport, inbox: Inbox) -> None:
        """Consume the queue that the inbox's subscriptions name."""
        self.transport = transport
        self.inbox = inbox

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set; the batch in hand is finished first."""
        subscriptions = self.inbox.subscriptions
        subscription = self.transport.subscribe(subscriptions.queue, batch=subscriptions.batch)
        try:
            while not stop.is_set():
                self._take(subscription, stop)
        finally:
            subscription.close()

    def _take(self, subscription: Subscription, stop: Flag) -> None:
        try:
            deliveries = subscription.fetch(timeout=FETCH_SECONDS)
            for batch in _careful(deliveries):
                if not self._settle(batch, stop):
                    return
                subscription.ack(batch)
        except TransportDown as error:
            log.warning("consumer.transport_down", error=str(error))
            stop.wait(_pause(1))

    def _settle(self, deliveries: list[Delivery], stop: Flag) -> bool:
        """Settle a batch, waiting for a database that is away; False if told to stop before that worked."""
        tries = 0
        while True:
            try:
                self.inbox.settle(deliveries)
            except SQLAlchemyError as error:
                if not is_transient(error):
                    raise
                tries += 1
                log.warning("consumer.database_away", tries=tries, error=str(error))
                if stop.wait(_pause(tries)):
                    return False
            else:
                return True


def _careful(deliveries: list[Delivery]) -> list[list[Delivery]]:
    """Take a batch that was handed out before one by one: a letter that ends the process must not take others along."""
    if any(delivery.redelivered for delivery in deliveries):
        return [[delivery] for delivery in deliveries]
    return [deliveries] if deliveries else []


def _pause(tries: int) -> float:
    """Return seconds until the next try: doubled each time up to a limit, with jitter so that replicas differ."""
    longest = min(LEAST_PAUSE * float(2 ** min(tries, 10)), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)  # noqa: S311  Not a secret.
