"""The OpenAPI documents: sound by other people's rules, whole, the same on every run, and true of each operation."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # It ships no py.typed.
from pydantic import BaseModel
from typer.testing import CliRunner

from launch import cli
from launch.asyncapi import text_of
from launch.openapi import documents
from shared.errors import Conflict, Title
from shared.roles import PERMISSIONS
from shared.service import Service
from shared.web.app import routes_of
from shared.web.doors import may
from shared.web.fields import Text
from shared.web.refusals import refuses
from shared.web.routes import Router
from tests.architecture.test_routes import OPEN
from tests.documented import Documents, Undocumented
from tests.servers import npm

RULES = Path(__file__).parent / "openapi"
METHODS = {"get", "put", "post", "delete", "patch"}
COMMON = {"401", "403", "429", "500", "503"}

pytestmark = pytest.mark.timeout(900)  # At first need npm itself is installed.

Part = dict[str, Any]
DOCUMENTS: dict[str, Part] = dict(documents())


def operations() -> Iterator[Any]:
    for service, document in DOCUMENTS.items():
        for path, item in document["paths"].items():
            for method in sorted(METHODS & item.keys()):
                yield pytest.param(document, item[method], id=f"{service} {method} {path}")


every_operation = pytest.mark.parametrize(("document", "operation"), list(operations()))


def lint(folder: Path) -> list[Part]:
    """Return Spectral's objections that are errors."""
    spectral = npm.install(RULES) / ".bin" / "spectral"
    found = folder / "found.json"
    files = sorted(str(path) for path in folder.glob("openapi-*.json"))
    command = [str(spectral), "lint", "--ruleset", str(RULES / "ruleset.yaml"), "-f", "json", "-o", str(found), *files]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)  # noqa: S603  Our own tool.
    assert found.exists(), done.stdout + done.stderr
    return [each for each in json.loads(found.read_bytes()) if each["severity"] == 0]


class TestSpectral:
    def test_finds_no_error(self, tmp_path: Path) -> None:
        """What `./popcandy docs openapi` writes passes OpenAPI's rules and OWASP's."""
        result = CliRunner().invoke(cli.app, ["docs", "openapi", "--out", str(tmp_path)])

        assert result.exit_code == 0, result.output
        assert {path.name for path in tmp_path.iterdir()} == {f"openapi-{name}.json" for name in DOCUMENTS}
        assert [(each["code"], ".".join(map(str, each["path"]))) for each in lint(tmp_path)] == []

    def test_would_find_one(self, tmp_path: Path) -> None:
        """A text without a limit, an integer without bounds, an operation that anybody may call."""
        document = json.loads(text_of(DOCUMENTS["ledger"]))
        operation = document["paths"]["/api/ledger/policy-versions"]["post"]
        operation["security"] = []
        schemas = document["components"]["schemas"]
        del schemas["ProposePolicyVersion"]["properties"]["fen_per_hour"]["maximum"]
        del schemas["Problem"]["properties"]["code"]["maxLength"]
        (tmp_path / "openapi-worse.json").write_text(text_of(document))

        assert {each["code"] for each in lint(tmp_path)} >= {
            "owasp:api2:2023-write-restricted",
            "owasp:api4:2023-integer-limit",
            "owasp:api4:2023-string-limit",
        }


def test_the_same_code_writes_the_same_document() -> None:
    """A difference between two files is a difference between two programs."""
    again = dict(documents())

    assert {name: text_of(each) for name, each in again.items()} == {name: text_of(e) for name, e in DOCUMENTS.items()}


def test_each_schema_has_a_short_name_of_its_own() -> None:
    """Generators make a class of each, and take its name from the title: two alike would be lost."""
    for document in DOCUMENTS.values():
        schemas = document["components"]["schemas"]
        titles = [schema["title"] for schema in schemas.values() if "title" in schema]

        assert [name for name in schemas if not re.fullmatch(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", name)] == []
        assert len(titles) == len(set(titles))


class TestOperation:
    @every_operation
    def test_says_what_it_is(self, document: Part, operation: Part) -> None:
        """Its name is a verb phrase; a person reads a sentence, a tag and who may."""
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
        assert operation["summary"]
        assert operation["description"].rstrip().endswith(".")
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"] if tag["description"]}
        if operation["operationId"] in OPEN:
            assert (operation["security"], "x-permission" in operation) == ([], False)
            return
        assert operation["security"] == [{"bearer": []}]
        assert operation["x-roles"] == sorted(PERMISSIONS[operation["x-permission"]])

    @every_operation
    def test_says_how_it_refuses(self, document: Part, operation: Part) -> None:
        """Every refusal is a problem document with its codes, and an example of each."""
        refused = {status: answer for status, answer in operation["responses"].items() if status >= "4"}

        assert refused.keys() >= (COMMON - {"401", "403"} if operation["operationId"] in OPEN else COMMON)
        for status, answer in refused.items():
            ((media_type, content),) = answer["content"].items()
            assert media_type == "application/problem+json"
            codes = schema_of(content["schema"], document)["allOf"][1]["properties"]["code"]["enum"]
            assert sorted(content["examples"]) == codes
            for code, example in content["examples"].items():
                assert f"`{code}`" in answer["description"]
                assert (example["value"]["code"], example["value"]["status"]) == (code, int(status))

    @every_operation
    def test_shows_examples_that_its_schemas_allow(self, document: Part, operation: Part) -> None:
        """Whoever copies one gets an answer, not a lesson."""
        parts = [*operation.get("parameters", ()), *operation.get("requestBody", {}).get("content", {}).values()]
        for answer in operation["responses"].values():
            parts += [content for name, content in answer.get("content", {}).items() if name.endswith("json")]
        for part in parts:
            examples = [each["value"] for each in part.get("examples", {}).values()] or [part["example"]]
            for example in examples:
                validator = Draft202012Validator({**part["schema"], "components": document["components"]})
                assert [error.message for error in validator.iter_errors(example)] == []


def schema_of(schema: Part, document: Part) -> Part:
    return dict(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])


class Sour(Conflict):
    """A thing of these tests' own."""

    code = "sour"
    title = Title(zh="酸的", en="It is sour")


class Wish(BaseModel):
    """What is wished for."""

    name: Text


def make_wish(body: Wish) -> Wish:
    """Make a wish."""
    return body


@refuses(Sour)
def declaring(body: Wish) -> Wish:
    """Make a wish, unless it is sour."""
    return body


def make_document(*, declared: bool) -> Part:
    """Describe a service of one route, which may or may not say how it refuses."""
    router = Router(tags=["wishes"])
    router.post("/wishes", operation_id="make_wish")(declaring if declared else make_wish)
    return routes_of(Service(name="wishes", routers=[router])).openapi()


class Answer:
    """A problem document as a client sees it."""

    headers: ClassVar = {"content-type": "application/problem+json"}
    text = "…"

    def __init__(self, status: int, code: str) -> None:
        self.status_code = status
        self.code = code

    def json(self) -> Part:
        return {"type": "urn:x", "title": "x", "status": self.status_code, "code": self.code, "trace_id": None}


class TestRefusal:
    """A refusal that nobody declared is found by the tests of the doors: their client is a `DocumentedClient`."""

    def test_declared_is_documented(self) -> None:
        """`@refuses` is all that a route needs."""
        Documents(make_document(declared=True)).hold("POST", "/api/wishes/wishes", Answer(409, "sour"))

    @pytest.mark.parametrize(
        ("answer", "declared"),
        [(Answer(409, "sour"), False), (Answer(409, "sweet"), True), (Answer(418, "sour"), True)],
        ids=["undeclared", "another code", "another status"],
    )
    def test_undeclared_fails(self, answer: Answer, *, declared: bool) -> None:
        """Be it a status or only a code."""
        with pytest.raises(Undocumented):
            Documents(make_document(declared=declared)).hold("POST", "/api/wishes/wishes", answer)

    def test_what_a_permission_refuses_is_documented(self) -> None:
        """Routes declare only what is their own."""
        kinds = {kind.code for kind in may("donations.read").refusals}  # type: ignore[attr-defined]  # `refuses` put it there.

        assert {"not_authenticated", "missing_permission", "no_partner"} <= kinds
        assert "no_partner" not in {kind.code for kind in may("sign_ups.make").refusals}  # type: ignore[attr-defined]  # As above.
