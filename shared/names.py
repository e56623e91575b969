"""Names of people of another service's records, asked for many at a time and kept for a minute (DESIGN.md section 4).

Names are shown and forgotten: whoever asks keeps them in no table, no event and no log.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import httpx2

from shared.auth.service_tokens import NoServiceToken, ServiceTokens

PATH = "/api/activities/volunteers/names"
MOST_IDS = 1_000  # Of one request; the door takes no more.
KEEP = timedelta(seconds=60)  # An erased person's name is gone after this everywhere.
MOST_KEPT = 20_000
TIMEOUT_SECONDS = 5.0


class NamesUnavailable(Exception):
    """The service that knows the names does not answer, or refuses us; what shows names can do without, or say so."""


class Names:
    """People's names, from any thread."""

    def __init__(self, api_url: str, tokens: ServiceTokens) -> None:
        """Ask the APIs at a URL, with a service's own tokens. Whoever makes it closes it."""
        self._http = httpx2.Client(base_url=api_url, timeout=TIMEOUT_SECONDS, trust_env=False)
        self._tokens = tokens
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[UUID, UUID], tuple[datetime, str | None]] = OrderedDict()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def look_up(self, programme_id: UUID, ids: Collection[UUID], *, now: datetime) -> dict[UUID, str]:
        """Return names by id within a programme; whom nobody knows there is left out. Blocks. Raises NamesUnavailable.

        Call it with no transaction open: the other service may take its time.
        """
        wanted = list(dict.fromkeys(ids))
        found = self._remembered(programme_id, wanted, now=now)
        for part in _parts([each for each in wanted if each not in found]):
            names = self._ask(programme_id, part, now=now)
            answers = {each: names.get(each) for each in part}
            self._keep(programme_id, answers, now=now)
            found |= answers
        return {each: name for each in wanted if (name := found.get(each)) is not None}

    def _remembered(self, programme_id: UUID, ids: Sequence[UUID], *, now: datetime) -> dict[UUID, str | None]:
        with self._lock:
            kept = {each: self._kept.get((programme_id, each)) for each in ids}
        return {each: entry[1] for each, entry in kept.items() if entry and timedelta(0) <= now - entry[0] < KEEP}

    def _keep(self, programme_id: UUID, names: dict[UUID, str | None], *, now: datetime) -> None:
        with self._lock:
            for each, name in names.items():
                self._kept[programme_id, each] = (now, name)
                self._kept.move_to_end((programme_id, each))
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def _ask(self, programme_id: UUID, ids: Sequence[UUID], *, now: datetime) -> dict[UUID, str]:
        body = {"ids": [str(each) for each in ids]}
        try:
            answer = self._send(programme_id, body, now=now)
            if answer.status_code == httpx2.codes.UNAUTHORIZED:  # The issuer's keys have changed since: once more.
                answer = self._send(programme_id, body, now=now)
            answer.raise_for_status()
            return {UUID(each): str(name) for each, name in answer.json()["names"].items()}
        except (NoServiceToken, httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NamesUnavailable(str(error) if isinstance(error, NoServiceToken) else type(error).__name__) from error

    def _send(self, programme_id: UUID, body: dict[str, list[str]], *, now: datetime) -> httpx2.Response:
        headers = self._tokens.headers(programme_id, now=now)
        answer = self._http.post(PATH, json=body, headers=headers)
        if answer.status_code == httpx2.codes.UNAUTHORIZED:
            self._tokens.drop(headers["authorization"].removeprefix("Bearer "))
        return answer


def _parts(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS))
