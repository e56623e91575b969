"""Where files that browsers load are, of our own making and of others'."""

from pathlib import Path

_ROOT = Path(__file__).parents[2]


def vendor() -> Path:
    """Return the folder of what others made; the console's npm lock says what is in it (decision 0030)."""
    return _ROOT / "services" / "console" / "static" / "vendor"


def own() -> Path:
    """Return the folder of the kit's own files."""
    return Path(__file__).parent / "static"
