"""RabbitMQ's management API: what we ask of it, and how it refuses."""

from typing import Any, Self

import httpx2

from launch.broker.rendering import Version, version_of
from shared.errors import Hindrance

_SECONDS = 30.0
_NOT_FOUND = 404
_SECRETS = "/api/users/"  # What is sent there holds the hash of a password; no answer from there is shown.


class BrokerRefused(Hindrance):
    """RabbitMQ does not have the topology that we need; the message says in one line what is wrong."""


class Management:
    """The API of one broker, as the administrator whom the URL names."""

    def __init__(self, url: str) -> None:
        """Prepare to ask; nothing connects yet."""
        self.user = httpx2.URL(url).username
        self._client = httpx2.Client(base_url=url, timeout=_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._client.close()

    def version(self) -> Version:
        """Return which RabbitMQ it is. Raises BrokerRefused."""
        return version_of(self.read("/api/overview")["rabbitmq_version"])

    def read(self, path: str) -> Any:  # noqa: ANN401  It is their JSON.
        """Return what is there. Raises BrokerRefused."""
        return self.send("GET", path).json()

    def find(self, path: str) -> Any:  # noqa: ANN401  As above.
        """Return what is there, or None. Raises BrokerRefused."""
        answer = self._ask("GET", path)
        return None if answer.status_code == _NOT_FOUND else _accepted(answer).json()

    def send(self, method: str, path: str, body: object = None) -> httpx2.Response:
        """Change something. Raises BrokerRefused with what it said."""
        return _accepted(self._ask(method, path, body))

    def _ask(self, method: str, path: str, body: object = None) -> httpx2.Response:
        try:
            return self._client.request(method, path, json=body)
        except httpx2.TransportError as error:
            host = self._client.base_url.netloc.decode()
            raise BrokerRefused(f"the management API at {host} does not answer: {error}") from error


def _accepted(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_error:
        path = answer.request.url.path
        said = "" if path.startswith(_SECRETS) else f": {' '.join(answer.text.split())}"
        raise BrokerRefused(f"{answer.request.method} {path} was refused with {answer.status_code}{said}")
    return answer
