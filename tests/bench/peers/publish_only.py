"""The bound of the relay: letters that are there already, published by pika with confirms, 2,000 on their way."""

import sys
import time
from typing import Any

import orjson
import pika  # type: ignore[import-untyped]  # pika ships no py.typed.

from tests.bench.peers.environment import AMQP_URL

EXCHANGE = "events"
WINDOW = 2_000
WARM_UP = 0.2


class Publishing:
    """One connection that sends every letter once and ends when all are confirmed."""

    def __init__(self, letters: list[tuple[str, dict[str, str], bytes]]) -> None:
        self.letters = letters
        self.sent = 0
        self.confirmed = 0
        self.began_at = (0, 0.0, 0.0)  # How many were confirmed then, the time, and the processor time.
        self.connection = pika.SelectConnection(
            pika.URLParameters(AMQP_URL), on_open_callback=lambda c: c.channel(on_open_callback=self._begin)
        )

    def run(self) -> dict[str, float]:
        self.connection.ioloop.start()
        count, at, cpu = self.began_at
        timed = self.confirmed - count
        return {"rate": timed / (time.monotonic() - at), "cpu_us": (time.process_time() - cpu) * 1e6 / timed}

    def _begin(self, channel: Any) -> None:
        self.channel = channel
        channel.confirm_delivery(self._confirm)
        self._fill()

    def _fill(self) -> None:
        while self.sent < len(self.letters) and self.sent - self.confirmed < WINDOW:
            routing_key, headers, body = self.letters[self.sent]
            self.sent += 1
            properties = pika.BasicProperties(
                content_type="application/json", delivery_mode=2, message_id=headers["ce-id"], headers=headers
            )
            self.channel.basic_publish(EXCHANGE, routing_key, body, properties)

    def _confirm(self, frame: Any) -> None:
        self.confirmed = frame.method.delivery_tag if frame.method.multiple else self.confirmed + 1
        if not self.began_at[0] and self.confirmed >= WARM_UP * len(self.letters):
            self.began_at = (self.confirmed, time.monotonic(), time.process_time())
        if self.confirmed == len(self.letters):
            self.connection.ioloop.stop()
        elif self.sent - self.confirmed <= WINDOW // 2:
            self._fill()


if __name__ == "__main__":
    lines = [orjson.loads(line) for line in sys.stdin.buffer]
    found = Publishing([(key, headers, body.encode()) for key, headers, body in lines]).run()
    sys.stdout.buffer.write(orjson.dumps(found))
