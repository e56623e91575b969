"""Calling activities over HTTP as somebody, at some time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.database.sessions import Database
from shared.roles import Role
from tests.factories.activities import NINE

R = TypeVar("R")


@dataclass
class Watch:
    """What the service's clock shows."""

    now: datetime = NINE


@dataclass
class Door:
    """The service's routes within one programme, called as `role` at the time that `watch` shows."""

    client: TestClient
    issuer: EmbeddedIssuer
    database: Database
    programme_id: UUID
    role: Role = Role.OPERATOR
    person_id: UUID = field(default_factory=uuid4)
    partner_id: UUID | None = None
    language: str = "en"
    watch: Watch = field(default_factory=Watch)

    def by(self, role: Role, *, person_id: UUID | None = None, partner_id: UUID | None = None) -> "Door":
        """Call as somebody else; the watch is the same."""
        return replace(self, role=role, person_id=person_id or uuid4(), partner_id=partner_id)

    def elsewhere(self) -> "Door":
        """Call as the same person in another programme."""
        return replace(self, programme_id=uuid4())

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, params=query)

    def post(self, path: str, **body: Any) -> Any:
        return self.call("POST", path, json=body)

    def decide(self, path: str, how: str, *, on: str = "*", **body: Any) -> Any:
        """Post a decision about a thing to the door `how` below it, `on` a reading of it."""
        headers = self.headers() | {"If-Match": on}
        return self.client.post(f"/api/activities{path}/{how}", headers=headers, json=body)

    def change(self, path: str, *, on: str, **body: Any) -> Any:
        """Put a thing in the place of what was read `on` a tag."""
        headers = self.headers() | {"If-Match": on}
        return self.client.put(f"/api/activities{path}", headers=headers, json=body)

    def call(self, method: str, path: str, **more: Any) -> Any:
        return self.client.request(method, f"/api/activities{path}", headers=self.headers(), **more)

    def headers(self) -> dict[str, str]:
        token = self.issuer.issue(
            person_id=self.person_id,
            programme_id=self.programme_id,
            roles=[self.role],
            now=clock.now(),
            partner_id=self.partner_id,
        )
        return {"Authorization": f"Bearer {token}", "Accept-Language": self.language}

    def put_in(self, make: Callable[[Session], R]) -> R:
        """Commit what `make` makes."""
        with self.database.transaction() as tx:
            return make(tx)


def refusal(answer: Any) -> tuple[int, str]:
    """Read a problem document's status and code."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    return document["status"], document["code"]
