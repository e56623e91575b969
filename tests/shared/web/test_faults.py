"""What callers are told, and logs are not, when the database fails."""

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from shared.database.sessions import Database
from tests.shared.web.conftest import problem_of


def test_a_busy_database_is_no_fault(client: TestClient, notes: Database) -> None:
    """Whoever waits for a long import is told to try again, not that something broke."""
    with notes.transaction() as tx:
        tx.execute(text("LOCK TABLE note"))
        answer = client.get("locked")

    assert (answer.status_code, problem_of(answer)["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"


def test_the_values_of_a_failed_statement_stay_out_of_answer_and_log(
    client: TestClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A name in a row must not reach a log by way of an error's details."""
    answer = client.post("twice/secret-name")

    assert (answer.status_code, problem_of(answer)["code"]) == (500, "internal_error")
    said = "".join([answer.text, caplog.text, *capfd.readouterr()])
    assert "secret-name" not in said.replace("/twice/secret-name", "")
    assert "UniqueViolation 23505 note_pkey" in said
