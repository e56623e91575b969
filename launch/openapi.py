"""The services' OpenAPI documents as files."""

from collections.abc import Iterator
from typing import Any

from launch.services import SERVICES
from shared.web.app import routes_of

Part = dict[str, Any]


def documents() -> Iterator[tuple[str, Part]]:
    """Return each service's name and its document, which is also what its `openapi.json` answers."""
    for service in SERVICES:
        yield service.name, routes_of(service).openapi()
