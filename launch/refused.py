"""How an API that is asked may not answer as hoped."""

from shared.errors import Hindrance


class Problem(Hindrance):
    """The API said no; the message is one line with its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep the problem's parts."""
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code


class Unreachable(Hindrance):
    """Nobody answers at the platform's address."""
