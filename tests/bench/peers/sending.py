"""Puts messages into a peer's queue by its own client: `python -m tests.bench.peers.sending PEER < JSON lines`."""

import asyncio
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import orjson


def send(peer: Any) -> None:
    """Send every line, [event id, body], as the peer's guide does."""
    if hasattr(peer, "broker") and hasattr(peer, "Told"):
        asyncio.run(_by_faststream(peer))
        return
    tell = peer.accrue.send if hasattr(peer.accrue, "send") else peer.accrue.delay
    for event_id, body in _lines():
        tell(event_id, body)


async def _by_faststream(peer: Any) -> None:
    async with peer.broker as broker:
        await broker.declare_queue(peer.QUEUE)
        for event_id, body in _lines():
            await broker.publish({"event_id": event_id, "body": body}, peer.QUEUE, persist=True)


def _lines() -> Iterator[tuple[str, str]]:
    for line in sys.stdin.buffer:
        yield orjson.loads(line)


if __name__ == "__main__":
    send(import_module(f"tests.bench.peers.{sys.argv[1]}"))
