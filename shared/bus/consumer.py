"""The loop between a queue and an inbox."""

import time
from collections.abc import Sequence
from contextlib import closing
from threading import Event as Flag

from sqlalchemy.exc import SQLAlchemyError

from shared import telemetry
from shared.bus.hand import Hand
from shared.bus.inbox import Inbox
from shared.bus.patience import pause
from shared.bus.transport import Delivery, Subscription, TopologyMissing, Transport, TransportDown
from shared.database.faults import is_transient

FETCH_SECONDS = 0.2
LINGER_SECONDS = 0.005  # Long enough to fill a batch under load, too short to be felt.
BUSY_SHARE = 10  # A batch that is filled to a tenth says that there is load.
BATCHES_AT_ONCE = 2  # One is prepared while the database works on the other (decision 0040).
PATIENCE_SECONDS = 60.0  # How long letters are held for a database that is away; the broker's own limit is far above.

log = telemetry.get_logger()


class Consumer:
    """Takes batches from a service's queue until told to stop; acknowledges only what is durably settled."""

    def __init__(
        self,
        transport: Transport,
        inbox: Inbox,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        batches_at_once: int = BATCHES_AT_ONCE,
    ) -> None:
        """Consume the queue that the inbox's subscriptions name.

        Under load so many batches are settled beside each other, unless a handler wants order.
        """
        self.transport = transport
        self.inbox = inbox
        self.patience_seconds = patience_seconds
        self.batches_at_once = 1 if inbox.subscriptions.are_ordered else batches_at_once
        self._is_busy = False
        self._failures = 0

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set; what is in hand is finished first.

        Letters of a database that stays away go back to their queue, and are asked for again when it answers.
        """
        while not stop.is_set():
            subscription = self.transport.subscribe(
                self.inbox.subscriptions.queue, batch=self.inbox.subscriptions.batch
            )
            try:
                self._consume(subscription, stop)
            finally:
                subscription.close()
            self._await_database(stop)

    def _consume(self, subscription: Subscription, stop: Flag) -> None:
        """Take batches until told to stop, or until the database stays away."""

        def settle(deliveries: Sequence[Delivery]) -> bool:
            return self._settle(deliveries, stop)

        with closing(Hand(subscription, settle, most=self.batches_at_once)) as hand:
            while hand or not stop.is_set():
                try:
                    if not self._turn(subscription, hand, stop):
                        return
                    self._failures = 0
                except (TransportDown, TopologyMissing) as error:
                    self._failures += 1
                    log.warning("consumer.broker_away", failures=self._failures, error=str(error))
                    stop.wait(pause(self._failures))

    def _turn(self, subscription: Subscription, hand: Hand, stop: Flag) -> bool:
        """Take one more batch, or finish what is in hand once told to stop; False if the database stays away."""
        if stop.is_set():
            return hand.finish()
        deliveries = self._fetch(subscription, beside=len(hand))
        if self._is_busy and self.batches_at_once > 1 and not _are_suspect(deliveries):
            return hand.take(deliveries)
        return hand.settle_alone(deliveries)

    def _fetch(self, subscription: Subscription, *, beside: int) -> list[Delivery]:
        """Take what is there; under load wait a moment for a fuller batch, for each costs a transaction."""
        deliveries = subscription.fetch(timeout=LINGER_SECONDS if beside else FETCH_SECONDS)
        enough = self.inbox.subscriptions.batch
        if self._is_busy and 0 < len(deliveries) < enough:
            deliveries += subscription.fetch(timeout=LINGER_SECONDS)
        self._is_busy = len(deliveries) * BUSY_SHARE >= enough > 1
        return deliveries

    def _settle(self, deliveries: Sequence[Delivery], stop: Flag) -> bool:
        """Settle a batch, waiting for a database that is away; False if that took too long or `stop` was set."""
        failures, given_up_at = 0, time.monotonic() + self.patience_seconds
        while True:
            try:
                return self._settle_carefully(deliveries, stop)
            except SQLAlchemyError as error:
                if not is_transient(error):
                    raise
                failures += 1
                log.warning("consumer.database_away", failures=failures, error=str(error))
                if stop.wait(pause(failures)) or time.monotonic() > given_up_at:
                    self._take_back()
                    return False

    def _settle_carefully(self, deliveries: Sequence[Delivery], stop: Flag) -> bool:
        """Take a batch that was handed out before one by one: a letter that ends the process takes no others along."""
        if not _are_suspect(deliveries):
            self.inbox.settle(deliveries)
            return True
        for delivery in deliveries:
            if stop.is_set():
                self._take_back()
                return False
            self.inbox.settle_suspect(delivery)
        self.inbox.clear()
        return True

    def _take_back(self) -> None:
        """Suspect no letter of what was not even tried to its end; if the database is away, the count stays."""
        try:
            self.inbox.clear()
        except SQLAlchemyError as error:
            log.warning("consumer.suspicion_stays", error=str(error))

    def _await_database(self, stop: Flag) -> None:
        """Wait until the database answers, holding no letters."""
        failures = 0
        while not stop.is_set():
            try:
                self.inbox.database.ping()
            except SQLAlchemyError as error:
                failures += 1
                log.warning("consumer.database_stays_away", failures=failures, error=str(error))
                stop.wait(pause(failures))
            else:
                return


def _are_suspect(deliveries: Sequence[Delivery]) -> bool:
    """Say whether some were in hand before, when their consumer ended."""
    return any(delivery.redelivered for delivery in deliveries)
