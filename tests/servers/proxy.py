"""A cable between a client and a server on loopback that a test can cut the worst way: nobody hears that it was cut."""

import contextlib
import socket
from collections.abc import Iterator
from threading import Event, Thread

_LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 65_536


class Proxy:
    """Carries bytes both ways, connection by connection."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._swallows = Event()
        self._stops = Event()
        self._over = Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server((_LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, name="proxy", daemon=True).start()

    def swallow(self) -> None:
        """Take all bytes from now on and deliver none; every connection stays open, new ones as well."""
        self._swallows.set()

    def stop(self) -> None:
        """Read no more, so that whoever sends has to keep it; every connection stays open."""
        self._stops.set()

    def heal(self) -> None:
        """Carry new connections again; those that lost bytes have lost them for good."""
        self._swallows = Event()

    def close(self) -> None:
        """End all connections."""
        self._over.set()
        # Shut down first: closing alone does not wake a thread that waits for bytes or connections.
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    Thread(target=self._pump, args=(source, sink, self._swallows), name="proxy", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, swallows: Event) -> None:
        """Carry one direction to its end."""
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK_BYTES):
                if self._stops.is_set():
                    self._over.wait()
                elif not swallows.is_set():
                    sink.sendall(chunk)
            if not swallows.is_set():
                sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """Yield a proxy to a server."""
    with contextlib.closing(Proxy((host, port))) as proxy:
        yield proxy
