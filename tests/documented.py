"""A caller that holds every answer to the OpenAPI document: status, media type, code, and shape."""

import re
from functools import cached_property
from typing import Any

import httpx2
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # It ships no py.typed.
from starlette.testclient import TestClient

Part = dict[str, Any]


class Undocumented(AssertionError):
    """An operation answered what its document does not say."""


class Documents:
    """What an OpenAPI document says of answers."""

    def __init__(self, document: Part) -> None:
        self.document = document
        self._paths = [(_pattern(path), path) for path in sorted(document["paths"], key=lambda path: path.count("{"))]
        self._validators: dict[str, Draft202012Validator] = {}

    def operation(self, method: str, path: str) -> Part | None:
        """Return the operation that a request asks for; None if it asks for none."""
        found = [template for pattern, template in self._paths if pattern.fullmatch(path)]
        for template in found:
            is_nearest = template.count("{") == found[0].count("{")  # `/dead-letters/discards` is no id of a letter.
            if is_nearest and method.lower() in self.document["paths"][template]:
                return dict(self.document["paths"][template][method.lower()])
        return None

    def hold(self, method: str, path: str, answer: Any) -> None:
        """Raise Undocumented for an answer that the document does not foresee."""
        operation = self.operation(method, path)
        if operation is None:
            return
        name, status = operation["operationId"], str(answer.status_code)
        said = operation["responses"].get(status)
        if said is None:
            raise Undocumented(f"{name} answered {status}: {answer.text[:200]}")
        if status == "304":
            return  # It has no content (RFC 9110 section 15.4.5).
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if media_type not in said.get("content", {}):
            raise Undocumented(f"{name} answered {status} as {media_type!r}, not {sorted(said.get('content', {}))}")
        if media_type.endswith("json"):
            for error in self._validator(said["content"][media_type]["schema"]).iter_errors(answer.json()):
                raise Undocumented(f"{name} answered {status}: {error.json_path}: {error.message[:300]}")

    def _validator(self, schema: Part) -> Draft202012Validator:
        key = str(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        return self._validators[key]


class DocumentedClient(TestClient):
    """Calls an app in this process, and fails a test whose answer is not in the app's own document."""

    @cached_property
    def _documents(self) -> Documents:
        return Documents(self.app.openapi())  # type: ignore[attr-defined]  # It is our FastAPI.

    def request(self, method: str, url: httpx2.URL | str, *arguments: Any, **more: Any) -> Any:
        """Call, and hold the answer to the document."""
        answer = super().request(method, url, *arguments, **more)
        self._documents.hold(method, answer.request.url.path, answer)
        return answer


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
