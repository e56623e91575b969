"""Calling the ledger over HTTP as somebody."""

import csv
import io
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from starlette.testclient import TestClient

from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.roles import Role


@dataclass
class Door:
    """The ledger's routes, called within one programme."""

    client: TestClient
    issuer: EmbeddedIssuer
    programme_id: UUID

    def get(
        self,
        path: str,
        role: Role = Role.FINANCE,
        *,
        acting_for: UUID | None = None,
        person_id: UUID | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Any:
        told = self._as(role, person_id or uuid4(), acting_for) | (headers or {})
        return self.client.get(f"/api/ledger{path}", params=query, headers=told)

    def post(
        self, path: str, role: Role, *, person_id: UUID | None = None, body: Any = None, on: str | None = "*",
        headers: dict[str, str] | None = None,
    ) -> Any:  # fmt: skip
        """Post; a decision rests `on` a reading."""
        headers = self._as(role, person_id or uuid4(), None) | ({"If-Match": on} if on else {}) | (headers or {})
        return self.client.post(f"/api/ledger{path}", json=body, headers=headers)

    def _as(self, role: Role, person_id: UUID, partner_id: UUID | None) -> dict[str, str]:
        token = self.issuer.issue(
            person_id=person_id, programme_id=self.programme_id, roles=[role], now=clock.now(), partner_id=partner_id
        )
        return {"Authorization": f"Bearer {token}", "Accept-Language": "en"}


def walked(door: Door, path: str, **asked: Any) -> list[Any]:
    """Read a list to its end, page by page."""
    found, query = list[Any](), dict(asked)
    while True:
        page = door.get(path, **query).json()
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def csv_rows(answer: Any) -> list[dict[str, str]]:
    """Read a list's file by its headings."""
    assert answer.headers["content-type"].startswith("text/csv"), answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
