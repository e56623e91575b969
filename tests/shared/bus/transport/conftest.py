"""A vhost of each test's own on the RabbitMQ of the run, for what only RabbitMQ does."""

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shared.bus.transport.rabbit import RabbitTransport
from tests.servers.rabbitmq import Broker, own_vhost
from tests.shared.bus.transport.management import Management


@pytest.fixture
def url(rabbitmq: Broker) -> Iterator[str]:
    with own_vhost(rabbitmq) as own:
        yield own


@pytest.fixture
def vhost(url: str) -> str:
    return urlsplit(url).path[1:]


@pytest.fixture
def management(rabbitmq: Broker, vhost: str) -> Management:
    return Management(rabbitmq, vhost)


@pytest.fixture
def rabbit(url: str) -> Iterator[RabbitTransport]:
    with contextlib.closing(RabbitTransport(url)) as one:
        yield one
