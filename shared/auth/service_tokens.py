"""A service's own short-lived tokens, with which it calls other services (RFC 6749 section 4.4, client credentials)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote_plus
from uuid import UUID

import httpx2
from pydantic import SecretStr

from shared import telemetry
from shared.auth.callers import PROGRAMME_HEADER
from shared.auth.discovery import Discovery
from shared.errors import Hindrance

RENEW_BEFORE = timedelta(seconds=60)  # The rest of a token's life, so that a call takes none that ends on its way.
LEAST_LIFE = timedelta(seconds=5)
PAUSE = timedelta(seconds=5)  # After a failure: callers are told at once instead of waiting one after the other.
TIMEOUT_SECONDS = 5.0

log = telemetry.get_logger()


class NoServiceToken(Hindrance):
    """The issuer gives no token: it is away, or it refuses the client; the message says which."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """As which client a service asks, and its secret."""

    client_id: str
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class _Held:
    token: SecretStr
    got_at: datetime
    renew_at: datetime
    ends_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        return self.got_at <= now < self.renew_at  # Before it was got: the clock has travelled.

    def is_good(self, now: datetime) -> bool:
        return self.got_at <= now < self.ends_at


class ServiceTokens:
    """The token of one service, held in memory and renewed in time; of many callers at once, one asks."""

    def __init__(self, token_endpoint: Callable[[], str], credentials: Credentials) -> None:
        """Ask the endpoint that `token_endpoint` returns."""
        self._endpoint, self._credentials = token_endpoint, credentials
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._failed: tuple[datetime, NoServiceToken] | None = None

    def token(self, *, now: datetime) -> str:
        """Return a token that is good for a while. Blocks while one is asked for.

        One that is still good serves on while the issuer is away. Raises NoServiceToken.
        """
        held = self._held
        if held is None or not held.is_fresh(now):
            with self._lock:
                held = self._renewed(now)
        return held.token.get_secret_value()

    def headers(self, programme_id: UUID, *, now: datetime) -> dict[str, str]:
        """Return the headers of a call in a programme: who calls, and for which programme. Raises NoServiceToken."""
        return {"authorization": f"Bearer {self.token(now=now)}", PROGRAMME_HEADER: str(programme_id)}

    def drop(self, token: str) -> None:
        """Forget a token that was refused, so that the next call asks for another."""
        with self._lock:
            if self._held is not None and self._held.token.get_secret_value() == token:
                self._held = None

    def _renewed(self, now: datetime) -> _Held:
        if self._held is not None and self._held.is_fresh(now):  # Another has asked while we waited.
            return self._held
        try:
            self._require_no_pause(now)
            self._held, self._failed = self._ask(now), None
        except NoServiceToken as error:
            self._failed = self._failed or (now, error)
            if self._held is None or not self._held.is_good(now):
                raise
            log.warning("service_token.not_renewed", reason=str(error))
        return self._held

    def _require_no_pause(self, now: datetime) -> None:
        if self._failed is None:
            return
        failed_at, error = self._failed
        if timedelta(0) <= now - failed_at < PAUSE:
            raise NoServiceToken(str(error))
        self._failed = None

    def _ask(self, now: datetime) -> _Held:
        try:
            answer = httpx2.post(
                self._endpoint(),
                data={"grant_type": "client_credentials"},
                auth=basic_of(self._credentials.client_id, self._credentials.secret.get_secret_value()),
                timeout=TIMEOUT_SECONDS,
            )
            if answer.is_client_error:
                raise NoServiceToken(f"the issuer refuses client {self._credentials.client_id}: {_error(answer)}")
            answer.raise_for_status()
            told = answer.json()
            return _held(str(told["access_token"]), float(told["expires_in"]), now)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, TypeError, KeyError) as error:
            raise NoServiceToken(f"the token issuer does not answer ({type(error).__name__})") from error


def tokens_of(discovery: Discovery, credentials: Credentials) -> ServiceTokens:
    """Return a service's tokens of an issuer that says itself where to ask."""
    return ServiceTokens(lambda: discovery.endpoints().token_endpoint, credentials)


def _held(token: str, seconds: float, now: datetime) -> _Held:
    """Return a token with when to renew it: a minute before its end, or half-way through a very short life."""
    life = max(timedelta(seconds=min(seconds, 86_400)), LEAST_LIFE)
    return _Held(SecretStr(token), now, now + max(life - RENEW_BEFORE, life / 2), now + life)


def basic_of(client_id: str, secret: str) -> httpx2.BasicAuth:
    """Write a client's name and secret as RFC 6749 section 2.3.1 wants them: form-encoded, for the colon between."""
    return httpx2.BasicAuth(quote_plus(client_id), quote_plus(secret))


def _error(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["error"])[:100]
    except (ValueError, TypeError, KeyError):
        return str(answer.status_code)
