"""How a web app behaves towards its callers."""

from dataclasses import dataclass

from shared.auth.sealing import Seals
from shared.auth.signatures import Signatures
from shared.names import Names
from shared.settings import Settings


@dataclass(frozen=True)
class WebOptions:
    """What the doors of every service have in common, and a deployment may choose."""

    signatures: Signatures  # Of cursors and the like.
    names: Names | None = None  # How to ask for people's names; None where the service has no client of its own.
    origins: tuple[str, ...] = ()  # Whose pages may call from a browser; none unless it is said.
    requests_per_minute: int = 1_200  # Of one caller, per process.
    failures_per_minute: int = 120  # Of one address: tokens that are none.
    visits_per_minute: int = 60  # Of one address, to what is open to anybody.
    stream_seconds: float = 600.0  # After which one who watches connects again; 0 shows how things are, and ends.
    wait_seconds: float = 20.0  # For room, while as many requests as there are connections are in hand.

    @property
    def seals(self) -> Seals:
        """Seals by the same keys, of what is kept and holds a secret."""
        return Seals(self.signatures.keys)


def options_of(settings: Settings, signatures: Signatures, *, names: Names | None) -> WebOptions:
    """Return what a deployment chose."""
    return WebOptions(signatures, names, settings.origins, requests_per_minute=settings.requests_per_minute)
