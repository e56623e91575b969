"""One AMQP connection: the thread that owns it, the choice of its host, and its end."""

import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pika  # type: ignore[import-untyped]  # pika ships no py.typed.
import structlog
from pika.adapters.select_connection import IOLoop  # type: ignore[import-untyped]  # As above.
from pika.exceptions import ChannelClosedByBroker  # type: ignore[import-untyped]  # As above.

from shared.bus.transport import Forbidden, TopologyMissing, TransportDown
from shared.errors import Hindrance

FromPika: TypeAlias = Any  # pika ships no types.

log = structlog.get_logger()
logging.getLogger("pika").setLevel(logging.CRITICAL)  # What pika reports as errors, we raise as TransportDown.

CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 1.0
_FORBIDDEN, _NOT_FOUND = 403, 404
_MISSING = re.compile(r"NOT_FOUND - no (exchange|queue) '(.*)' in vhost '(.*)'", re.DOTALL)
_URL = re.compile(r"amqps?://[^/\s]+(/\S*)?")
# Any can be set in a URL's query instead. pika notices a silent broker after one or two times (heartbeat + 5 s).
# There is no `blocked_connection_timeout` and no TCP_USER_TIMEOUT: a broker in alarm reads nothing, and whoever hung
# up and connected anew would send the same letters into the next connection, again and again.
_DEFAULTS = {
    "heartbeat": 5,
    "socket_timeout": 2,
    "stack_timeout": 4,
}


class BrokenUrl(Hindrance):
    """An AMQP URL cannot be used."""


class Wire:
    """One connection with one channel, and the thread that owns both.

    pika is not thread-safe and answers heartbeats only while its loop runs (PITFALLS K1): other threads use nothing
    but `lost`, `call`, `wait_open`, `require` and `close`. A wire that is lost, if only its channel ended, stays lost.
    """

    def __init__(
        self, parameters: FromPika, *, prepare: Callable[["Wire"], None], on_lost: Callable[["Wire"], None]
    ) -> None:
        """Connect. On the I/O thread `prepare` sets up the channel and calls `opened`; `on_lost` comes once."""
        self.channel: FromPika = None
        self.lost: BaseException | None = None
        self._prepare = prepare
        self._on_lost = on_lost
        self._opened: Future[None] = Future()
        self._loop = IOLoop()
        self._connection = pika.SelectConnection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_closed,
            on_close_callback=self._on_closed,
            custom_ioloop=self._loop,
        )
        self._thread = Thread(target=self._run, name="popcandy-amqp", daemon=True)
        self._thread.start()

    def call(self, callback: Callable[[], None]) -> None:
        """Run something on the I/O thread, in the order called; on a wire that is lost it may not run at all."""
        self._loop.add_callback_threadsafe(callback)

    def opened(self) -> None:
        """Say that the channel is ready."""
        if not self._opened.done():
            self._opened.set_result(None)

    def wait_open(self, seconds: float) -> None:
        """Wait until the channel is ready. Raises TransportDown, Forbidden and TopologyMissing as `require` does."""
        try:
            self._opened.result(timeout=seconds)
        except TimeoutError:
            raise TransportDown(f"RabbitMQ did not answer within {seconds:.1f} s") from None

    def close(self) -> None:
        """Say goodbye after all that was called before; give the broker a second to answer."""
        self.call(lambda: self.fail(ConnectionAbortedError("closed on this side")))
        self._thread.join(_CLOSE_SECONDS)

    def require(self) -> None:
        """Raise when lost: Forbidden or TopologyMissing when the broker said so, TransportDown otherwise."""
        if self.lost is not None:
            raise refusal(self.lost) or TransportDown(f"lost the connection to RabbitMQ: {self.lost!r}")

    def _run(self) -> None:
        try:
            self._loop.start()
        finally:
            self._lose(ConnectionAbortedError("the I/O thread ended"))
            self._loop.close()

    def _on_open(self, connection: FromPika) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: FromPika) -> None:
        self.channel = channel
        channel.add_on_close_callback(lambda _channel, reason: self.fail(reason))
        self._prepare(self)

    def _on_closed(self, _connection: object, reason: BaseException) -> None:
        self._lose(reason)
        self._loop.stop()

    def fail(self, reason: BaseException) -> None:
        """Give the wire up, on the I/O thread: the broker ended the channel or what runs in it."""
        self._lose(reason)
        self._shut()

    def _lose(self, reason: BaseException) -> None:
        if self.lost is None:
            self.lost = reason
            if not self._opened.done():
                self._opened.set_exception(refusal(reason) or TransportDown(f"RabbitMQ is not reachable: {reason!r}"))
            self._on_lost(self)

    def _shut(self) -> None:
        if not (self._connection.is_closing or self._connection.is_closed):
            self._connection.close()


class Hosts:
    """The nodes of one cluster. Each failure moves on to the next: a dead node must not be asked twice in a row."""

    def __init__(self, urls: str) -> None:
        self._parameters = [_parameters(url.strip()) for url in urls.split(",")]
        self._current = 0
        self._closed = False
        self._lock = Lock()

    def connect(self, *, prepare: Callable[[Wire], None], on_lost: Callable[[Wire], None]) -> Wire:
        """Try each node once, for five seconds in all, beginning with the last that worked.

        Raises TransportDown; Forbidden and TopologyMissing at once, for the next node would say the same.
        """
        if self._closed:
            raise TransportDown("the transport is closed")
        deadline = time.monotonic() + CONNECT_SECONDS
        for tries_left in reversed(range(len(self._parameters))):
            wire, host = self._begin(prepare, on_lost)
            try:
                wire.wait_open(max(deadline - time.monotonic(), 0.1))
            except (Forbidden, TopologyMissing):
                wire.close()
                raise
            except TransportDown:
                wire.close()
                self._move_on(host)
                if not tries_left or time.monotonic() > deadline:
                    raise
            else:
                log.info("broker.connected", host=self._parameters[host].host, port=self._parameters[host].port)
                return wire
        raise TransportDown("no RabbitMQ node is configured")

    def close(self) -> None:
        """Connect no more."""
        self._closed = True

    def _begin(self, prepare: Callable[[Wire], None], on_lost: Callable[[Wire], None]) -> tuple[Wire, int]:
        host = self._current

        def lose(wire: Wire) -> None:
            if wire.lost is None or refusal(wire.lost) is None:  # A node that refuses is alive.
                self._move_on(host)
            on_lost(wire)

        return Wire(self._parameters[host], prepare=prepare, on_lost=lose), host

    def _move_on(self, host: int) -> None:
        with self._lock:
            if self._current == host:
                self._current = (host + 1) % len(self._parameters)


def refusal(reason: BaseException) -> Forbidden | TopologyMissing | None:
    """Translate what the broker said when it ended a channel; None for any other end of a wire."""
    if not isinstance(reason, ChannelClosedByBroker):
        return None
    if reason.reply_code == _FORBIDDEN:
        return Forbidden(f"RabbitMQ does not allow it: {reason.reply_text}")
    missing = _MISSING.fullmatch(reason.reply_text) if reason.reply_code == _NOT_FOUND else None
    if missing is None:  # A 404 may also say that the queue's node is down.
        return None
    kind, name, vhost = missing.groups()
    return TopologyMissing(f"RabbitMQ has no {kind} {name}: run `./popcandy broker define` (the vhost is {vhost})")


def _parameters(url: str) -> FromPika:
    """Read one URL; what its query does not say is ours. Raises BrokenUrl, without the URL: it may hold a password."""
    if not _URL.fullmatch(url):
        raise BrokenUrl("the broker's URL is not of the form amqp://user:password@host:port/vhost")
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, IndexError, TypeError) as error:
        raise BrokenUrl("the broker's URL has a part that cannot be read") from error
    said = parse_qs(urlsplit(url).query)
    for name, value in _DEFAULTS.items():
        if name not in said:
            setattr(parameters, name, value)
    return parameters
