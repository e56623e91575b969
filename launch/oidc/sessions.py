"""Sessions of people at the issuer, and the refresh tokens that keep them going (RFC 6749 section 6, RFC 9700 4.14).

A refresh token is signed and names its session and generation. Each use begins the next generation; one that was used
before ends the session, for somebody has a copy. The file holds no secret: without the folder's key nobody can write a
token. It survives a restart.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson

from launch.oidc.codes import Grant
from launch.oidc.refusals import Refused
from shared import telemetry
from shared.auth.private_files import replace_private
from shared.auth.signatures import NotOurs, Signatures

SESSION_LIFE = timedelta(hours=12)
MOST_SESSIONS = 1_000

_PURPOSE = "oidc.refresh"

log = telemetry.get_logger()


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in through one client."""

    id: str
    client_id: str
    person_id: UUID
    scope: str
    signed_in_at: datetime
    expires_at: datetime
    generation: int = 0


class Sessions:
    """The sessions of one folder's platform."""

    def __init__(self, path: Path, signatures: Signatures) -> None:
        """Go on with those that the file at `path` holds."""
        self._path, self._signatures = path, signatures
        self._lock = threading.Lock()
        self._sessions = {session.id: session for session in _read(path)}

    def begin(self, grant: Grant, *, now: datetime) -> Session:
        """Begin the session of a grant."""
        with self._changing(now) as sessions:
            session = Session(
                id=grant.session_id,
                client_id=grant.request.client_id,
                person_id=grant.person_id,
                scope=grant.request.scope,
                signed_in_at=grant.at,
                expires_at=now + SESSION_LIFE,
            )
            sessions[session.id] = session
        return session

    def refresh_token(self, session: Session) -> str:
        """Return the token with which a session goes on."""
        return self._signatures.sign([session.id, session.generation], purpose=_PURPOSE)

    def go_on(self, token: str, *, client_id: str, now: datetime) -> Session:
        """Return a token's session in its next generation. Raises Refused; a token used before ends its session."""
        session_id, generation = self._named(token)
        with self._changing(now) as sessions:
            session = sessions.get(session_id)
            if session is None or session.client_id != client_id:
                raise Refused("invalid_grant", "the session has ended")
            if session.generation != generation:
                del sessions[session_id]
                log.warning("oidc.refresh_token_reused", session_id=session_id, client_id=client_id)
                raise Refused("invalid_grant", "the refresh token was used before; the session has ended")
            sessions[session_id] = replace(session, generation=generation + 1)
            return sessions[session_id]

    def end(self, session_id: str, *, now: datetime) -> None:
        """End a session; one that has ended stays so."""
        with self._changing(now) as sessions:
            sessions.pop(session_id, None)

    def end_by(self, token: str, *, client_id: str, now: datetime) -> None:
        """End the session of a refresh token of this client (RFC 7009); a token that is none changes nothing."""
        try:
            session_id, _ = self._named(token)
        except Refused:
            return
        with self._changing(now) as sessions:
            if session_id in sessions and sessions[session_id].client_id == client_id:
                del sessions[session_id]

    def _named(self, token: str) -> tuple[str, int]:
        try:
            session_id, generation = self._signatures.read(token, purpose=_PURPOSE)
        except NotOurs as error:
            raise Refused("invalid_grant", "this is no refresh token of ours") from error
        return str(session_id), int(generation)

    @contextmanager
    def _changing(self, now: datetime) -> Iterator[dict[str, Session]]:
        """Lock the sessions and keep what becomes of them, also when it is a refusal."""
        with self._lock:
            alive = {name: session for name, session in self._sessions.items() if session.expires_at > now}
            try:
                yield alive
            finally:
                self._sessions = dict(list(alive.items())[-MOST_SESSIONS:])
                content = [asdict(session) for session in self._sessions.values()]
                replace_private(self._path, orjson.dumps(content))


def _read(path: Path) -> Iterator[Session]:
    """Read the file; one that is broken holds no session, and people sign in again."""
    try:
        rows = orjson.loads(path.read_bytes())
        return iter([_session(row) for row in rows])
    except FileNotFoundError:
        return iter([])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("oidc.sessions_unreadable", reason=type(error).__name__)
        return iter([])


def _session(row: dict[str, object]) -> Session:
    instants = {name: datetime.fromisoformat(str(row[name])) for name in ("signed_in_at", "expires_at")}
    return Session(**{**row, **instants, "person_id": UUID(str(row["person_id"]))})  # type: ignore[arg-type]  # As written.
