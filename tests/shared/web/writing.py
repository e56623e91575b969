"""Calling the service of `safe`, as anybody."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from starlette.testclient import TestClient

from shared.database.sessions import Database
from tests.shared.auth.signing import make_token
from tests.shared.web.conftest import KEY, problem_of

MEMO = {"body": "buy bread"}


@dataclass(frozen=True)
class Caller:
    """Somebody with a token."""

    client: TestClient
    database: Database
    programme: UUID
    person: UUID = field(default_factory=uuid4)
    roles: tuple[str, ...] = ("volunteer",)
    partner: UUID | None = None

    def by(self, **others: Any) -> "Caller":
        """Call as somebody else in these respects."""
        return replace(self, **others)

    def headers(self, key: str | None = None, on: str | None = None) -> dict[str, str]:
        claims: dict[str, Any] = {"partner_id": str(self.partner)} if self.partner else {}
        token = make_token(
            KEY, sub=str(self.person), programme_id=str(self.programme), roles=list(self.roles), **claims
        )
        wanted = {"authorization": f"Bearer {token}", "idempotency-key": key, "if-match": on}
        return {name: value for name, value in wanted.items() if value is not None}

    def send(self, method: str, path: str, *, key: str | None = None, on: str | None = None, **more: Any) -> Any:
        headers = self.headers(key, on) | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)

    def keep(self, *, key: str | None = None, **overrides: Any) -> Any:
        return self.send("POST", "memos", key=key, json=MEMO | overrides)

    def bodies(self) -> list[str]:
        """Return what is kept in the programme."""
        rows = text("SELECT body FROM memo WHERE programme_id = :programme ORDER BY id")
        with self.database.transaction() as tx:
            return list(tx.scalars(rows, {"programme": self.programme}))

    def entries(self, **asked: Any) -> list[dict[str, Any]]:
        """Return the programme's audit trail, newest first, as an auditor reads it."""
        auditor = self.by(person=uuid4(), roles=("auditor",))
        answer = auditor.send("GET", "audit-entries", params=asked)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def refusal(answer: Any) -> tuple[int, str]:
    document = problem_of(answer)
    return document["status"], document["code"]
