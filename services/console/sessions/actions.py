"""Signing in, staying signed in, signing out."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.console.sessions import rules
from services.console.sessions.queries import Issuer
from services.console.sessions.rules import Attempt, Callback, Session
from shared import telemetry

RENEWED_KEPT = timedelta(minutes=1)
MOST_REMEMBERED = 10_000

log = telemetry.get_logger()


def begin(issuer: Issuer, *, next_path: str, language: str, now: datetime) -> tuple[str, Attempt]:
    """Begin a sign-in: where to send the browser, and what it must bring back. Raises IssuerDown."""
    attempt = rules.begin(next_path=next_path, now=now)
    endpoint = issuer.metadata()["authorization_endpoint"]
    return rules.authorization_url(endpoint, issuer.registration, attempt, language=language), attempt


def finish(issuer: Issuer, attempt: Attempt | None, callback: Callback, *, now: datetime) -> Session:
    """Make a session of what the issuer sent back. Raises SignInFailed, IssuerDown."""
    attempt = rules.require_own(callback, attempt, now=now)
    registration = issuer.registration
    names_itself = issuer.metadata().get("authorization_response_iss_parameter_supported") is True
    code = rules.require_code(callback, issuer=registration.issuer, names_itself=names_itself)
    tokens = issuer.redeem(code, verifier=attempt.verifier)
    if tokens.id_token is None:
        raise rules.SignInFailed("untrusted", "no_id_token")
    claims = issuer.verify(tokens.id_token, now=now)
    rules.require_ours(claims, client_id=registration.client_id, nonce=attempt.nonce)
    return rules.start_session(tokens, claims, now=now)


def end(issuer: Issuer, renewals: "Renewals", session: Session) -> str | None:
    """End a session here and at the issuer; return where the browser signs out there, None if it cannot."""
    renewals.forget(session)
    try:
        if session.refresh_token is not None:
            issuer.revoke(session.refresh_token)
        endpoint = issuer.metadata().get("end_session_endpoint")
    except rules.IssuerDown:
        return None  # Here it is over all the same.
    return None if endpoint is None else rules.end_session_url(endpoint, issuer.registration, session)


@dataclass(slots=True)
class _Renewal:
    lock: threading.Lock = field(default_factory=threading.Lock)
    session: Session | None = None
    at: float = 0.0


class Renewals:
    """Renews each session once, however many tabs ask at the same time with the same old cookie.

    A refresh token that is presented twice may end the whole session at the issuer (RFC 9700 section 4.14.2). So the
    first request renews, the others wait for it, and latecomers of the next minute get the same answer. What is
    remembered is this process's: behind several consoles a browser must stay with one, or the issuer must be lenient.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._lock = threading.Lock()
        self._renewals: OrderedDict[str, _Renewal] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def renew(self, issuer: Issuer, session: Session, *, now: datetime) -> Session:
        """Return the session with new tokens; itself while the issuer is away and its token still good.

        Raises RenewalRefused when it is over, IssuerDown.
        """
        if session.refresh_token is None:
            return self._unrenewable(session, now)
        renewal = self._renewal_of(session.refresh_token)
        with renewal.lock:
            if renewal.session is not None and now.timestamp() - renewal.at < RENEWED_KEPT.total_seconds():
                return renewal.session
            try:
                renewal.session = rules.renewed(session, issuer.renew(session.refresh_token), now=now)
            except rules.IssuerDown:
                if not rules.is_usable(session, now=now):
                    raise
                return session
            renewal.at = now.timestamp()
            return renewal.session

    def forget(self, session: Session) -> None:
        """Note that a session was ended, so that no tab's late answer brings it back."""
        with self._lock:
            self._ended[session.id] = None
            if len(self._ended) > MOST_REMEMBERED:
                self._ended.popitem(last=False)

    def is_ended(self, session: Session) -> bool:
        """Say whether a session was ended here, whatever a copied cookie says."""
        return session.id in self._ended

    def _renewal_of(self, refresh_token: str) -> _Renewal:
        key = hashlib.sha256(refresh_token.encode()).hexdigest()
        with self._lock:
            if len(self._renewals) >= MOST_REMEMBERED and key not in self._renewals:
                self._renewals.popitem(last=False)
            return self._renewals.setdefault(key, _Renewal())

    @staticmethod
    def _unrenewable(session: Session, now: datetime) -> Session:
        if not rules.is_usable(session, now=now):
            raise rules.RenewalRefused("no_refresh_token")
        return session
