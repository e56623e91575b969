"""The issuer's few pages, in Chinese and English: who to sign in as, what went wrong, that it is over."""

import tomllib
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from launch.oidc.people import DemoPerson
from launch.oidc.requests import AuthorizationRequest
from shared.web import problems

HERE = Path(__file__).parent
TEXTS: Mapping[str, Mapping[str, Any]] = tomllib.loads((HERE / "texts.toml").read_text("utf-8"))
STYLE = (HERE / "templates" / "pages.css").read_bytes()

_templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


def language_of(request: Request) -> str:
    """Choose by `ui_locales`, else by the browser's languages."""
    for locale in request.query_params.get("ui_locales", "").split():
        if locale.partition("-")[0] in TEXTS:
            return locale.partition("-")[0]
    return problems.language_of(request)


def sign_in(
    request: Request, *, wanted: AuthorizationRequest, signed: str, people: Iterable[DemoPerson], action: str
) -> Response:
    """Ask who somebody wants to be; the answer goes to `action`."""
    language = language_of(request)
    rows = [{"id": person.id, "name": person.name(language), "role": person.role} for person in people]
    other = "zh" if language == "en" else "en"
    page = _page(
        request, "sign_in.html", language=language, people=rows, signed=signed, action=action,
        switch=f"?{urlencode([*_without_locale(request.query_params), ('ui_locales', other)])}",
    )  # fmt: skip
    return _secured(page, form_action=f"'self' {_origin(wanted.redirect_uri)}")


def fault(request: Request, reason: str) -> Response:
    """Say what is wrong to the person at the browser, who is sent nowhere."""
    page = _page(request, "message.html", HTTPStatus.BAD_REQUEST, language=language_of(request), message=reason)
    return _secured(page, form_action="'none'")


def signed_out(request: Request) -> Response:
    """Say that the session is over."""
    page = _page(request, "message.html", language=language_of(request), message="signed_out")
    return _secured(page, form_action="'none'")


def _page(request: Request, name: str, status: int = HTTPStatus.OK, *, language: str, **facts: object) -> Response:
    texts = TEXTS[language]
    root = request.scope.get("root_path", "")
    content = _templates.get_template(name).render(language=language, texts=texts, root=root, **facts)
    return HTMLResponse(content, status, {"content-language": language})


def _secured(page: Response, *, form_action: str) -> Response:
    """Say what the page may load and where its form may lead; browsers hold redirects to that too."""
    page.headers["content-security-policy"] = (
        f"default-src 'none'; style-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )
    page.headers["x-content-type-options"] = "nosniff"
    page.headers["x-frame-options"] = "DENY"
    page.headers["referrer-policy"] = "same-origin"  # Not `no-referrer`: the form would post with `Origin: null`.
    page.headers["cache-control"] = "no-store"
    return page


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _without_locale(query: QueryParams) -> list[tuple[str, str]]:
    return [(name, value) for name, value in query.multi_items() if name != "ui_locales"]
