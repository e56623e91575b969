"""How the issuer says no, in the words of OAuth 2.0 (RFC 6749 sections 4.1.2.1 and 5.2)."""

from http import HTTPStatus


class Refused(Exception):
    """A request that the client is told about: in the redirect, or in the token endpoint's answer."""

    def __init__(self, error: str, description: str, *, status: int = HTTPStatus.BAD_REQUEST) -> None:
        """Keep OAuth's error code and one sentence in ASCII for the developer of the client."""
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.status = status


class NotRedirectable(Exception):
    """Nobody can be told but the person at the browser: who asks, or where to go back to, is not known."""

    def __init__(self, reason: str) -> None:
        """Keep one word that says what is wrong."""
        super().__init__(reason)
        self.reason = reason
