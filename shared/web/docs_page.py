"""A service's docs page: its OpenAPI document, drawn by Swagger UI from files of our own host alone."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, HTMLResponse

from shared.errors import NotFound
from shared.web import assets

OURS, OTHERS = ("docs.js",), ("swagger-ui.css", "swagger-ui-bundle.js")
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{prefix}/docs/swagger-ui.css">
<script src="{prefix}/docs/swagger-ui-bundle.js"></script>
<script src="{prefix}/docs/docs.js"></script>
</head>
<body data-document="{prefix}/openapi.json">
<main id="docs"><noscript>This page needs JavaScript; <a href="{prefix}/openapi.json">the document itself</a> does not.
</noscript></main>
</body>
</html>
"""


def add_docs_page(app: FastAPI, prefix: str, *, vendor: Path) -> None:
    """Add `<prefix>/docs`, for whoever reads; it is no part of the document that it shows."""
    page = PAGE.format(title=app.title, prefix=prefix)
    files = {name: folder / name for names, folder in ((OURS, assets.own()), (OTHERS, vendor)) for name in names}

    @app.get(f"{prefix}/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Show the page."""
        return HTMLResponse(page, headers=HEADERS)

    @app.get(f"{prefix}/docs/{{name}}", include_in_schema=False)
    def file_of_docs(name: str) -> FileResponse:
        """Send one of the files that the page loads. Raises NotFound for any other, and for one that is not here."""
        path = files.get(name)
        if path is None or not path.exists():
            raise NotFound(file=name[:60])
        return FileResponse(path, headers=HEADERS)
