from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from shared.web import problems
from shared.web.representations import JSON, PDF, Form, one_of, preferred

BOTH = (JSON, PDF)
LONG = "text/html, " * 5_000


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("  ", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/pdf", PDF),
        ("APPLICATION/PDF", PDF),
        ("application/*", JSON),
        ("text/html, application/pdf", PDF),
        ("application/json;q=0.5, application/pdf;q=0.9", PDF),
        ("application/json;q=0.5, application/pdf; q=0.4", JSON),
        ("application/pdf, */*;q=0.1", PDF),
        ("application/json;q=0, */*", PDF),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("application/*;q=0.2, application/pdf;q=0", JSON),
        ("application/pdf;version=1.7;q=1.0", PDF),
        ("application/pdf;q=2, application/json;q=0.001", JSON),
        ("application/pdf;q=nonsense", None),
        ("text/html", None),
        ("application/xml, text/*", None),
        ("nonsense", None),
        (",,;q=1,/", None),
        (LONG, None),
    ],
)
def test_the_form_is_what_the_caller_prefers(accept: str, chosen: Form | None) -> None:
    """RFC 9110 section 12.5.1: weights, wildcards, the most exact range; of equals the first that is offered."""
    assert preferred(accept, BOTH) == chosen


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.get("/thing")
    def show(form: Annotated[Form, Depends(one_of(*BOTH))]) -> str:
        return form.name

    return TestClient(app)


@pytest.mark.parametrize(
    ("query", "accept", "form"),
    [
        ("", "application/pdf", "pdf"),
        ("?format=pdf", "*/*", "pdf"),
        ("?format=json", "application/pdf", "json"),
        ("?format=pdf", "text/html", "pdf"),
    ],
)
def test_the_address_wins_over_the_header(client: TestClient, query: str, accept: str, form: str) -> None:
    """A link can name a form where a browser sets the header."""
    answer = client.get(f"/thing{query}", headers={"accept": accept})

    assert (answer.status_code, answer.json()) == (200, form)


@pytest.mark.parametrize(
    ("query", "accept"), [("", "text/html"), ("?format=docx", "*/*"), ("?format=", "*/*"), ("?format=PDF", "*/*")]
)
def test_what_there_is_not_is_a_problem_that_says_what_there_is(client: TestClient, query: str, accept: str) -> None:
    """With status 406, in the caller's language."""
    answer = client.get(f"/thing{query}", headers={"accept": accept, "accept-language": "en"})

    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_acceptable"
    assert answer.json()["facts"] == {"offered": ["application/json", "application/pdf"]}


def test_the_document_lists_the_forms(client: TestClient) -> None:
    """Generated clients offer them."""
    [parameter] = client.get("/openapi.json").json()["paths"]["/thing"]["get"]["parameters"]

    assert (parameter["name"], parameter["in"], parameter["required"]) == ("format", "query", False)
    assert parameter["schema"]["enum"] == ["json", "pdf"]
