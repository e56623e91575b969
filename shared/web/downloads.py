"""Files that people sent in, given back: to be saved under their own names, never shown by a browser on our behalf."""

import base64
import re
from urllib.parse import quote

from starlette.responses import Response

from shared.web.preconditions import etag

_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")


def attachment(name: str) -> str:
    """Name a file for whoever saves it: in ASCII for old callers, and as it is (RFC 6266, RFC 8187)."""
    plain = _OTHERS.sub("_", name).lstrip(".") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def download(content: bytes, *, name: str, media_type: str, sha256: bytes) -> Response:
    """Answer with a file; its tag is its hash, which is told as well (RFC 9530)."""
    headers = {
        "content-disposition": attachment(name),
        "content-digest": f"sha-256=:{base64.b64encode(sha256).decode()}:",
        "etag": etag(sha256.hex()),
    }
    return Response(content, media_type=media_type, headers=headers)
