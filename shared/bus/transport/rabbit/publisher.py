"""Publishing in order with a window of unconfirmed letters (PITFALLS K2, K3)."""

from collections.abc import Sequence
from functools import partial
from threading import Event, Lock
from uuid import UUID

from pika import BasicProperties  # type: ignore[import-untyped]  # pika ships no py.typed.

from shared.bus.transport import Letter, Outcome, TransportDown
from shared.bus.transport.rabbit.connection import FromPika, Hosts, Wire

EXCHANGE = "events"
WINDOW = 2_000
_CHUNK = 250  # Sent without a look at the socket; the broker works on one chunk while the next is encoded.
_STALL_SECONDS = 15.0  # Without one answer, as when a cluster has no majority.
_PERSISTENT = 2
_SHORT_STRING = 255
_MAX_HEADER_BYTES = 100_000  # They must fit into one frame of 128 KiB; the broker ends the connection otherwise.


class _Window:
    """One call of `publish`, on the I/O thread: what was sent, and what was answered by delivery tag."""

    def __init__(self, letters: Sequence[Letter], *, wire: Wire, first_tag: int) -> None:
        self.ended = Event()
        self.answered = 0
        self._letters = letters
        self.wire = wire
        self._first_tag = first_tag
        self._sent = 0
        self._outcomes: list[Outcome | None] = [None] * len(letters)
        self._settled_below = 0  # Each letter before this index has its outcome.

    def fill(self) -> None:
        """Send as many letters as the window allows, a chunk at a time."""
        if self.wire.lost is not None:
            return
        allowed = min(self.answered + WINDOW, len(self._letters))
        until = min(self._sent + _CHUNK, allowed)
        publish = self.wire.channel.basic_publish
        for letter in self._letters[self._sent : until]:
            publish(EXCHANGE, letter.routing_key, letter.body, _properties(letter))
        self._sent = until
        if until < allowed:
            self.wire.call(self.fill)

    def settle(self, tag: int, *, multiple: bool, outcome: Outcome) -> None:
        """Take the broker's answer for one letter, or for all up to it."""
        until = tag - self._first_tag + 1
        for index in range(self._settled_below if multiple else until - 1, until):
            if self._outcomes[index] is None:
                self._outcomes[index] = outcome
                self.answered += 1
        while self._settled_below < len(self._outcomes) and self._outcomes[self._settled_below] is not None:
            self._settled_below += 1
        self._go_on()

    def answers(self) -> dict[UUID, Outcome]:
        """Say what is known."""
        pairs = zip(self._letters, tuple(self._outcomes), strict=True)
        return {letter.id: outcome for letter, outcome in pairs if outcome is not None}

    def _go_on(self) -> None:
        if self.answered == len(self._letters):
            self.ended.set()
        elif self._sent < len(self._letters) and self._sent - self.answered <= WINDOW - _CHUNK:
            self.fill()


class Publisher:
    """The one connection that publishes; it is opened when it is needed."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._wire: Wire | None = None
        self._window: _Window | None = None
        self._next_tag = 1
        self._one_at_a_time = Lock()

    def publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        """Send letters and wait for their outcomes; those without one are missing.

        Raises TransportDown when nothing is known of any, ValueError (and sends none) when AMQP cannot carry one.
        """
        for letter in letters:
            _require_fitting(letter)
        if not letters:
            return {}
        with self._one_at_a_time:
            return self._publish(letters)

    def close(self) -> None:
        """Disconnect; a call of `publish` that still waits returns with what is known."""
        if self._wire is not None:
            self._wire.close()

    def _publish(self, letters: Sequence[Letter]) -> dict[UUID, Outcome]:
        wire = self._connected()
        window = self._window = _Window(letters, wire=wire, first_tag=self._next_tag)
        self._next_tag += len(letters)
        wire.call(window.fill)
        stalled = wire.lost is None and not _wait(window)
        if stalled:
            wire.close()  # Or late answers would be taken for those of the next letters.
        answers = window.answers()
        if stalled and not answers:
            raise TransportDown(f"RabbitMQ confirmed nothing for {_STALL_SECONDS:.0f} s")
        if not answers:
            wire.require()
        return answers

    def _connected(self) -> Wire:
        if self._wire is None or self._wire.lost is not None:
            self._window = None
            self._next_tag = 1
            self._wire = self._hosts.connect(prepare=self._prepare, on_lost=self._on_lost)
        return self._wire

    def _prepare(self, wire: Wire) -> None:
        wire.channel.confirm_delivery(partial(self._on_answer, wire), callback=lambda _frame: wire.opened())

    def _on_answer(self, wire: Wire, frame: FromPika) -> None:
        method = frame.method
        outcome = Outcome.CONFIRMED if method.NAME == "Basic.Ack" else Outcome.REFUSED
        if self._window is not None and self._window.wire is wire:
            self._window.settle(method.delivery_tag, multiple=method.multiple, outcome=outcome)

    def _on_lost(self, wire: Wire) -> None:
        if self._window is not None and self._window.wire is wire:
            self._window.ended.set()


def _wait(window: _Window) -> bool:
    """Wait until all is answered or the wire is lost; return False when answers stopped coming."""
    known = -1
    while not window.ended.wait(_STALL_SECONDS):
        if window.answered == known:
            return False
        known = window.answered
    return True


def _properties(letter: Letter) -> FromPika:
    return BasicProperties(
        content_type="application/json",
        delivery_mode=_PERSISTENT,
        message_id=str(letter.id),
        headers=letter.headers,
    )


def _require_fitting(letter: Letter) -> None:
    """Refuse what would end the connection, and with it the letters around. Raises ValueError."""
    names = [letter.routing_key, *letter.headers]
    size = sum(map(len, names)) + sum(map(len, letter.headers.values()))
    if any(len(name) * 4 > _SHORT_STRING and len(name.encode()) > _SHORT_STRING for name in names):
        raise ValueError(f"letter {letter.id}: its routing key or a header's name is longer than {_SHORT_STRING} bytes")
    if size * 4 > _MAX_HEADER_BYTES:
        raise ValueError(f"letter {letter.id}: its headers are longer than {_MAX_HEADER_BYTES // 4} characters")
