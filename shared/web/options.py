"""How a web app behaves towards its callers."""

from dataclasses import dataclass

from shared.auth.signatures import Signatures
from shared.names import Names


@dataclass(frozen=True)
class WebOptions:
    """What the doors of every service have in common, and a deployment may choose."""

    signatures: Signatures  # Of cursors and the like.
    names: Names | None = None  # How to ask for people's names; None where the service has no client of its own.
