"""A caller of the public HTTP doors, as a front end would be."""

from types import TracebackType
from typing import IO, Any, Self

import httpx2

from launch.refused import Problem, Unreachable

TIMEOUT = httpx2.Timeout(120.0, connect=5.0)  # An import of 200,000 rows is judged within one request.


class Api:
    """The services' APIs behind one front door; each call says as whom by a token."""

    def __init__(self, url: str) -> None:
        """Call the APIs at `url`."""
        self.url = url
        self._http = httpx2.Client(base_url=url, timeout=TIMEOUT, trust_env=False, headers={"accept-language": "en"})

    def __enter__(self) -> Self:
        """Hold connections until the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of connections."""
        self._http.close()

    def get(self, path: str, *, token: str, **params: object) -> Any:
        """Read. Raises Problem, Unreachable."""
        wanted = {name: str(value) for name, value in params.items() if value is not None}
        return self._send("GET", path, token, params=wanted)

    def tag(self, path: str, *, token: str) -> str:
        """Read one thing for its tag alone, to decide about it by `if_match`. Raises Problem, Unreachable."""
        return self._answer("GET", path, token).headers["etag"]

    def post(self, path: str, body: object | None = None, *, token: str, if_match: str | None = None) -> Any:
        """Do something; with the tag of what was read, only if that is still so. Raises Problem, Unreachable."""
        return self._send("POST", path, token, json=body, headers=_matching(if_match))

    def put(self, path: str, body: object, *, token: str, if_match: str | None = None) -> Any:
        """Set something, as `post` does something. Raises Problem, Unreachable."""
        return self._send("PUT", path, token, json=body, headers=_matching(if_match))

    def upload(self, path: str, name: str, content: IO[bytes] | bytes, *, token: str, **fields: str) -> Any:
        """Send in a file. Raises Problem, Unreachable."""
        return self._send("POST", path, token, files={"file": (name, content)}, data=fields)

    def _answer(
        self, method: str, path: str, token: str, *, headers: dict[str, str] | None = None, **parts: Any
    ) -> httpx2.Response:
        sent = {**({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        try:
            answer = self._http.request(method, path, headers=sent, **parts)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise Unreachable(f"no answer from {self.url}: {error}") from error
        if not answer.is_success:
            raise _problem(answer)
        return answer

    def _send(self, method: str, path: str, token: str, **parts: Any) -> Any:
        answer = self._answer(method, path, token, **parts)
        try:
            return answer.json()
        except ValueError as error:
            raise Unreachable(f"what answers at {self.url} is no Popcandy") from error


def _matching(tag: str | None) -> dict[str, str]:
    return {} if tag is None else {"if-match": tag}


def _problem(answer: httpx2.Response) -> Problem:
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        document = answer.json()
        details = document.get("errors") or document.get("facts") or ""
        return Problem(answer.status_code, document["code"], f"{document['title']} {details}".strip())
    return Problem(answer.status_code, f"http_{answer.status_code}", answer.reason_phrase)
