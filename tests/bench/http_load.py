"""A client that costs little: requests are bytes, connections stay open, and each answer is timed."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONNECT_SECONDS = 10


@dataclass(slots=True)
class Answered:
    """What came back: statuses, seconds for each request, and how long all of it took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    begun: float = 0.0
    ended: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / (self.ended - self.begun)

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share of the answers came."""
        return percentile(self.seconds, share)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def post(url: str, path: str, token: str, body: bytes, **headers: str) -> bytes:
    """Write a request; `headers` are further ones, without hyphens in their names."""
    host = urlsplit(url).netloc
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{head}{more}\r\n".encode() + body


def get(url: str, path: str, token: str) -> bytes:
    """Write a request that only reads."""
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def in_turn(url: str, requests: Iterable[bytes], *, clients: int) -> Answered:
    """Have so many clients send one request after the other, each as soon as its last was answered."""
    return asyncio.run(_closed(url, iter(requests), clients))


def at_a_rate(url: str, requests: Sequence[Callable[[], bytes]], *, a_second: float, clients: int) -> Answered:
    """Send so many requests a second whatever the answers take, each made when it is sent.

    The time of an answer counts from when its request was due, not from when a connection was free for it.
    """
    return asyncio.run(_open(url, requests, a_second, clients))


async def _closed(url: str, requests: Iterator[bytes], clients: int) -> Answered:
    answered = Answered(begun=time.monotonic())

    async def client() -> None:
        reader, writer = await _connect(url)
        for request in requests:
            begun = time.monotonic()
            writer.write(request)
            answered.statuses[await _answer(reader)] += 1
            answered.seconds.append(time.monotonic() - begun)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    answered.ended = time.monotonic()
    return answered


async def _open(url: str, requests: Sequence[Callable[[], bytes]], a_second: float, clients: int) -> Answered:
    answered = Answered(begun=time.monotonic())
    numbers = iter(range(len(requests)))

    async def client() -> None:
        reader, writer = await _connect(url)
        for number in numbers:
            due = answered.begun + number / a_second
            await _until(due)
            writer.write(requests[number]())
            answered.statuses[await _answer(reader)] += 1
            answered.seconds.append(time.monotonic() - due)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    answered.ended = time.monotonic()
    return answered


async def _until(due: float) -> None:
    """Wait for an instant of the monotonic clock, which is the loop's."""
    loop = asyncio.get_running_loop()
    reached = loop.create_future()
    loop.call_at(due, reached.set_result, None)
    await reached


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    async with asyncio.timeout(CONNECT_SECONDS):
        return await asyncio.open_connection(parts.hostname, parts.port)


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer whole and return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    if length:
        await reader.readexactly(int(length))
    return int(head[9:12])
