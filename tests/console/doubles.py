"""The other side of the console: the services' APIs as a local HTTP server."""

import json
import re
import threading
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shared import clock
from tests.console.figures import FIGURES, LISTING, NINE, SHIFT_ID

CHECKED_IN = {"state": "checked_in", "checked_in_at": "2022-06-18T00:56:30Z"}
SETTLED = {
    "state": "settled",
    "checked_in_at": "2022-06-18T00:56:30Z",
    "checked_out_at": "2022-06-18T03:05:10Z",
    "service_minutes": 125,
    "matchable_minutes": 120,
}


class ActivitiesApi:
    """Answers for one shift and with figures as the services would; a test changes what it is about."""

    def __init__(self, server: HTTPServer) -> None:
        """Answer on a running server."""
        self.url = server.url_for("")
        self.shift: dict[str, Any] = {
            "id": SHIFT_ID,
            "listing_id": SHIFT_ID,
            "listing_reference": "2022-LIB-07",
            "listing_title": "社区图书馆周末故事会",
            "partner_id": SHIFT_ID,
            "number": 3,
            "starts_at": NINE.isoformat(),
            "ends_at": (NINE + timedelta(hours=2, minutes=30)).isoformat(),
            "timezone": "Asia/Shanghai",
            "capacity": 12,
            "state": "open",
        }
        self.place: dict[str, Any] = {"state": "expected", "checked_in_at": None, "checked_out_at": None}
        self.code = "123456"
        self.code_lasts = timedelta(seconds=30)
        self.refusals: dict[str, tuple[int, dict[str, Any]]] = {}
        self.broken: Response | None = None
        self.seen: list[Request] = []
        self.listings: list[dict[str, Any]] = [deepcopy(LISTING)]
        self.documents: dict[str, Any] = {}
        self.by_path: dict[str, Response] = {}
        self.hold: threading.Event | None = None
        server.expect_request(re.compile(f"/api/activities/shifts/{SHIFT_ID}.*")).respond_with_handler(self._answer)
        server.expect_request(re.compile("/api/.*")).respond_with_handler(self._answer_other)

    def refuse(self, what: str, code: str, *, status: int = 409, title: str = "不行", **facts: Any) -> None:
        """Refuse one of: shift, code, attendance/mine, check-ins, check-outs."""
        document = {"type": f"urn:popcandy:problem:{code}", "title": title, "status": status, "code": code}
        self.refusals[what] = (status, document | {"facts": facts, "trace_id": "0" * 31 + "7"})

    def _answer(self, request: Request) -> Response:
        self.seen.append(request)
        if self.broken is not None:
            return self.broken
        what = request.path.partition(SHIFT_ID)[2].strip("/") or "shift"
        if what in self.refusals:
            status, document = self.refusals[what]
            return _json(document, status, "application/problem+json")
        return self._give(what, request)

    def _answer_other(self, request: Request) -> Response:
        self.seen.append(request)
        if self.hold is not None:
            self.hold.wait(10)
        if self.broken is not None:
            return self.broken
        if request.path in self.by_path:
            return self.by_path[request.path]
        documents = {**FIGURES, "/api/activities/listings": {"items": self.listings, "next": None}, **self.documents}
        return _json(documents[request.path])

    def _give(self, what: str, request: Request) -> Response:
        if what == "check-ins":
            self.place = CHECKED_IN
            return _json({"code": request.get_json()["code"]}, 201)
        if what == "check-outs":
            self.place = SETTLED
        valid_until = (clock.now() + self.code_lasts).isoformat()
        return _json(
            {"shift": self.shift, "code": {"code": self.code, "valid_until": valid_until}}.get(what, self.place)
        )


def _json(document: Mapping[str, Any], status: int = 200, media_type: str = "application/json") -> Response:
    return Response(json.dumps(document), status, content_type=media_type)
