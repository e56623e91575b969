"""What every answer of an API tells browsers and callers beside its body."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.rates import WINDOW_SECONDS, Allowance

SECURITY = {  # For answers that are data; a page brings its own policy.
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-site",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_SECURITY = tuple((name.encode(), value.encode()) for name, value in SECURITY.items())
STRICT_TRANSPORT = "max-age=31536000"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SENT = (
    "accept-language",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
)
SHOWN = (
    "content-disposition",
    "etag",
    "idempotency-replayed",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "traceparent",
    "www-authenticate",
)


def cross_origin(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """Let pages of these origins call the API from a browser. No cookies: whoever calls sends a token."""
    if not origins:
        return app
    return CORSMiddleware(app, allow_origins=origins, allow_methods=METHODS, allow_headers=SENT, expose_headers=SHOWN)


class ApiHeaders:
    """Adds the security headers, and how many requests the caller has left (draft-ietf-httpapi-ratelimit-headers)."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = [*message.get("headers", ())]
                present = {name for name, _ in answer}
                answer += (pair for pair in _SECURITY if pair[0] not in present)
                if scope["scheme"] == "https":
                    answer.append((b"strict-transport-security", STRICT_TRANSPORT.encode()))
                answer += _allowance(scope.get("state", {}).get("allowance"))
                message["headers"] = answer
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _allowance(allowance: Allowance | None) -> tuple[tuple[bytes, bytes], ...]:
    if allowance is None:
        return ()
    policy = f'"caller";q={allowance.limit};w={WINDOW_SECONDS}'
    left = f'"caller";r={allowance.remaining};t={allowance.reset_seconds}'
    return (b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())
