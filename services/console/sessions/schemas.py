"""Sessions and attempts as browsers keep them: sealed, so that neither scripts nor people read a token."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from services.console.sessions import rules
from services.console.sessions.rules import Attempt, Session
from shared.auth.sealing import Seals
from shared.auth.signatures import NotOurs

SESSION = "popcandy_session"
ATTEMPT = "popcandy_sign_in_"
PIECE_CHARACTERS = 3_800  # Browsers keep 4,096 bytes of a cookie, its name and attributes included.
MOST_PIECES = 4
MOST_ATTEMPTS = 5
MOST_BYTES = 64 * 1024

_SESSION = TypeAdapter(Session)
_ATTEMPT = TypeAdapter(Attempt)
_T = TypeVar("_T")


class Cookies:
    """Writes and reads the console's own cookies; `prefix` is what browsers hold to, as in `__Host-`."""

    def __init__(self, seals: Seals, *, prefix: str) -> None:
        """Seal with one set of keys."""
        self._seals = seals
        self._prefix = prefix

    def write_session(self, session: Session, present: Mapping[str, str]) -> dict[str, str]:
        """Return the cookies of a session, an empty value for each of `present` that goes. Raises SessionTooLarge."""
        text = self._seal(_SESSION, session, SESSION)
        if len(text) > PIECE_CHARACTERS * MOST_PIECES and session.id_token is not None:
            text = self._seal(_SESSION, replace(session, id_token=None), SESSION)  # Only a hint for the sign-out.
        parts = [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]
        if len(parts) > MOST_PIECES:
            raise rules.SessionTooLarge
        written = {self._name(number): part for number, part in enumerate(parts)}
        written[self._name(0)] = f"{len(parts)}.{parts[0]}"
        return self.no_session(present) | written

    def read_session(self, present: Mapping[str, str]) -> Session | None:
        """Return a browser's session; None if it has none, or one that is not of our making."""
        count, _, first = present.get(self._name(0), "").partition(".")
        if count not in {str(number) for number in range(1, MOST_PIECES + 1)}:
            return None
        rest = [present.get(self._name(number), "") for number in range(1, int(count))]
        return self._open(_SESSION, "".join([first, *rest]), SESSION)

    def no_session(self, present: Mapping[str, str]) -> dict[str, str]:
        """Return what takes a browser's session away."""
        return {name: "" for name in map(self._name, range(MOST_PIECES)) if name in present}

    def write_attempt(self, attempt: Attempt, present: Mapping[str, str]) -> dict[str, str]:
        """Return the cookie of an attempt: each tab's sign-in has its own, and the oldest go when they are many."""
        others = [name for name in present if name.startswith(self._prefix + ATTEMPT)]
        gone = dict.fromkeys(others[: max(len(others) - MOST_ATTEMPTS + 1, 0)], "")
        return gone | {self.attempt_name(attempt.state): self._seal(_ATTEMPT, attempt, ATTEMPT)}

    def read_attempt(self, present: Mapping[str, str], *, state: str) -> Attempt | None:
        """Return the attempt that a state belongs to, if it was begun in this browser."""
        text = present.get(self.attempt_name(state))
        return None if text is None else self._open(_ATTEMPT, text, ATTEMPT)

    def attempt_name(self, state: str) -> str:
        """Name the cookie of an attempt."""
        return f"{self._prefix}{ATTEMPT}{rules.mark_of(state)}"

    def _name(self, number: int) -> str:
        return self._prefix + SESSION + (f"_{number}" if number else "")

    def _seal(self, shape: TypeAdapter[_T], value: _T, purpose: str) -> str:
        return self._seals.seal(zlib.compress(shape.dump_json(value, exclude_defaults=True), 9), purpose=purpose)

    def _open(self, shape: TypeAdapter[_T], text: str, purpose: str) -> _T | None:
        try:
            packed = self._seals.open(text, purpose=purpose)
            return shape.validate_json(zlib.decompressobj().decompress(packed, MOST_BYTES))
        except (NotOurs, zlib.error, ValidationError):
            return None
