"""How a web app behaves towards its callers."""

from dataclasses import dataclass

from shared.auth.signatures import Signatures


@dataclass(frozen=True)
class WebOptions:
    """What the doors of every service have in common, and a deployment may choose."""

    signatures: Signatures  # Of cursors and the like.
