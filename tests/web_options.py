"""How web apps behave in tests."""

from shared.auth.signatures import Signatures
from shared.web.options import WebOptions

SECRET = "a secret of the tests that is long enough to sign"  # noqa: S105  It protects nothing.
# A client that runs an app in its own process waits for the end of an answer: streams show how things are, and end.
OPTIONS = WebOptions(
    Signatures([SECRET]), failures_per_minute=1_000_000, requests_per_minute=1_000_000, stream_seconds=0
)
