"""A window of unconfirmed letters: what one call of `publish` sent and what was answered (PITFALLS K2, K3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from uuid import UUID

from pika import BasicProperties  # type: ignore[import-untyped]  # pika ships no py.typed.

from shared.bus.transport import Letter, Outcome
from shared.bus.transport.rabbit.connection import Wire

WINDOW = 2_000
WINDOW_BYTES = 16 << 20  # What pika may hold of bodies; one letter over it at most.
_CHUNK = 250  # Sent without a look at the socket; the broker works on one chunk while the next is encoded.
_CHUNK_BYTES = 1 << 20
_PERSISTENT = 2


@dataclass(frozen=True, slots=True)
class Route:
    """Where letters go, and how: `mandatory` ones come back when no queue takes them."""

    exchange: str
    content_type: str
    mandatory: bool


class Window:
    """One call of `publish`, on the I/O thread; letters are known by delivery tag, returned ones by their id."""

    def __init__(self, letters: Sequence[Letter], route: Route, *, wire: Wire, first_tag: int) -> None:
        self.wire = wire
        self.ended = Event()
        self.answered = 0
        self.sent = 0
        self._letters = letters
        self._route = route
        self._first_tag = first_tag
        self._unanswered_bytes = 0
        self._outcomes: list[Outcome | None] = [None] * len(letters)
        self._settled_below = 0  # Each letter before this index has its outcome.
        self._returned: set[UUID] = set()

    def fill(self) -> None:
        """Send as many letters as the window allows, a chunk at a time; none once it has ended."""
        chunk_ends_at = self.sent + _CHUNK
        chunk_bytes_end_at = self._unanswered_bytes + _CHUNK_BYTES
        while self._has_room():
            if self.sent == chunk_ends_at or self._unanswered_bytes > chunk_bytes_end_at:
                self.wire.call(self.fill)
                return
            self._send(self._letters[self.sent])

    def settle(self, tag: int, *, multiple: bool, outcome: Outcome) -> None:
        """Take the broker's answer for one letter, or for all up to it; those of earlier windows are nobody's."""
        index = tag - self._first_tag
        if index < 0:
            return
        for each in range(self._settled_below if multiple else index, index + 1):
            if self._outcomes[each] is None:
                self._answer(each, outcome)
        while self._settled_below < len(self._outcomes) and self._outcomes[self._settled_below] is not None:
            self._settled_below += 1
        self._go_on()

    def take_back(self, letter_id: UUID) -> None:
        """Remember a letter that no queue takes: the broker acknowledges it all the same, later."""
        self._returned.add(letter_id)

    def answers(self) -> dict[UUID, Outcome]:
        """Say what is known."""
        pairs = zip(self._letters, tuple(self._outcomes), strict=True)
        return {letter.id: outcome for letter, outcome in pairs if outcome is not None}

    def _has_room(self) -> bool:
        return (
            self.sent < len(self._letters)
            and self.sent - self.answered < WINDOW
            and self._unanswered_bytes < WINDOW_BYTES
            and not self.ended.is_set()
            and self.wire.lost is None
        )

    def _send(self, letter: Letter) -> None:
        self.sent += 1
        self._unanswered_bytes += len(letter.body)
        route = self._route
        properties = BasicProperties(
            content_type=route.content_type,
            delivery_mode=_PERSISTENT,
            message_id=str(letter.id),
            headers=letter.headers,
        )
        self.wire.channel.basic_publish(
            route.exchange, letter.routing_key, letter.body, properties, mandatory=route.mandatory
        )

    def _answer(self, index: int, outcome: Outcome) -> None:
        letter = self._letters[index]
        self._outcomes[index] = Outcome.REFUSED if letter.id in self._returned else outcome
        self._unanswered_bytes -= len(letter.body)
        self.answered += 1

    def _go_on(self) -> None:
        if self.answered == len(self._letters):
            self.ended.set()
        elif self.sent - self.answered <= WINDOW - _CHUNK and self._unanswered_bytes <= WINDOW_BYTES // 2:
            self.fill()
