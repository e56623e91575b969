"""Where a running platform is found: written into its folder while it runs, so that commands find it."""

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from launch.folders import is_in_use

FILE = "platform.json"


@dataclass(frozen=True)
class Address:
    """Where a running platform is found."""

    api_url: str
    console_url: str
    pid: int


def announce(folder: Path, address: Address) -> None:
    """Say where the platform over `folder` is found; the file is whole from the first look on."""
    draft = folder / f"{FILE}.draft"
    draft.write_bytes(orjson.dumps(asdict(address)))
    draft.replace(folder / FILE)


def withdraw(folder: Path) -> None:
    """Say no more where the platform over `folder` is found."""
    (folder / FILE).unlink(missing_ok=True)


def running(folder: Path) -> Address | None:
    """Return where the platform over `folder` runs, or None if none does."""
    path = folder / FILE
    if not path.exists() or not is_in_use(folder):  # The file may be left over, its process id be another's.
        return None
    return Address(**orjson.loads(path.read_bytes()))
