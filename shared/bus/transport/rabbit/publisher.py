"""Publishing in order over one connection, which outlives refusals and alarms where it can (PITFALLS K2, K3, K6)."""

from collections.abc import Sequence
from functools import partial
from threading import Lock
from uuid import UUID

import structlog

from shared.bus.transport import Blocked, Letter, Outcome, TransportDown, fit_and_unfit
from shared.bus.transport.rabbit.connection import FromPika, Hosts, Wire
from shared.bus.transport.rabbit.window import Route, Window

_STALL_SECONDS = 15.0  # Without one answer, as when a cluster has no majority.

log = structlog.get_logger()


class Publisher:
    """The one connection that publishes to one exchange; it is opened when it is needed."""

    def __init__(self, hosts: Hosts, route: Route) -> None:
        self.blocked: str | None = None
        self._hosts = hosts
        self._route = route
        self._wire: Wire | None = None
        self._window: Window | None = None
        self._next_tag = 1
        self._one_at_a_time = Lock()

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters and wait for their outcomes; those without one are missing.

        When nothing is known of any that can be sent: raises Blocked, Forbidden, TopologyMissing, TransportDown.
        """
        fit, unfit = fit_and_unfit(letters)
        if not fit:
            return unfit
        with self._one_at_a_time:
            return unfit | self._publish(fit)

    def close(self) -> None:
        """Disconnect; a call of `publish` that still waits returns with what is known."""
        if self._wire is not None:
            self._wire.close()

    def _publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        wire = self._connected()
        self._require_unblocked()
        window = self._window = Window(letters, self._route, wire=wire, first_tag=self._next_tag)
        wire.call(partial(self._begin, window))
        stalled = wire.lost is None and not _wait(window)
        if stalled:
            wire.close()  # A broker that is silent for so long may have forgotten them; another node may answer.
        self._next_tag += window.sent  # Answers to those of an ended window may still come.
        answers = window.answers()
        if not answers:
            self._explain(wire, stalled=stalled)
        return answers

    def _explain(self, wire: Wire, *, stalled: bool) -> None:
        """Say why nothing is known. Raises TransportDown and its kinds, TopologyMissing."""
        if stalled:
            raise TransportDown(f"RabbitMQ confirmed nothing for {_STALL_SECONDS:.0f} s")
        wire.require()
        self._require_unblocked()
        raise Blocked("RabbitMQ took no letters for a moment")

    def _require_unblocked(self) -> None:
        if (reason := self.blocked) is not None:
            raise Blocked(f"RabbitMQ takes no letters now: {reason}")

    def _connected(self) -> Wire:
        if self._wire is None or self._wire.lost is not None:
            self._window = None
            self._next_tag = 1
            self._wire = self._hosts.connect(prepare=self._prepare, on_lost=self._on_lost)
        return self._wire

    def _prepare(self, wire: Wire) -> None:
        self.blocked = None
        connection = wire.channel.connection
        connection.add_on_connection_blocked_callback(lambda _, frame: self._on_blocked(wire, frame.method.reason))
        connection.add_on_connection_unblocked_callback(lambda _, _frame: self._on_unblocked())
        wire.channel.add_on_return_callback(partial(self._on_return, wire))
        wire.channel.confirm_delivery(partial(self._on_answer, wire), callback=lambda _frame: wire.opened())

    def _begin(self, window: Window) -> None:
        """Send, unless the alarm came first: on the I/O thread one of both sees the other."""
        if self.blocked is None:
            window.fill()
        else:
            window.ended.set()

    def _on_answer(self, wire: Wire, frame: FromPika) -> None:
        method = frame.method
        outcome = Outcome.CONFIRMED if method.NAME == "Basic.Ack" else Outcome.REFUSED
        if (window := self._window_of(wire)) is not None:
            window.settle(method.delivery_tag, multiple=method.multiple, outcome=outcome)

    def _on_return(self, wire: Wire, _channel: object, _method: object, properties: FromPika, _body: bytes) -> None:
        if (window := self._window_of(wire)) is not None:
            window.take_back(UUID(properties.message_id))

    def _on_blocked(self, wire: Wire, reason: str) -> None:
        """End the call that waits. What it sent is still on its way: it is sent again, and the inbox absorbs it."""
        self.blocked = reason
        log.warning("broker.blocked", reason=reason)
        if (window := self._window_of(wire)) is not None:
            window.ended.set()

    def _on_unblocked(self) -> None:
        self.blocked = None
        log.info("broker.unblocked")

    def _on_lost(self, wire: Wire) -> None:
        self.blocked = None
        if (window := self._window_of(wire)) is not None:
            window.ended.set()

    def _window_of(self, wire: Wire) -> Window | None:
        return self._window if self._window is not None and self._window.wire is wire else None


def _wait(window: Window) -> bool:
    """Wait until all is answered, the wire is lost or the broker blocks; return False when answers stopped coming."""
    known = -1
    while not window.ended.wait(_STALL_SECONDS):
        if window.answered == known:
            return False
        known = window.answered
    return True
