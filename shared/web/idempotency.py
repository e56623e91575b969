"""`Idempotency-Key`: an unsafe call that is sent again is answered again, and happens once.

The answer is kept in the call's own transaction and looked for in the call's own thread hop, before the endpoint runs.
A refused call keeps nothing: the same key may be tried again. `docs/decisions/0027-safe-calls.md` says what counts as
the same request.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import Header, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from shared.auth.callers import Caller
from shared.auth.sealing import Seals
from shared.auth.signatures import NotOurs
from shared.errors import Conflict, Invalid, Refusal, Title
from shared.web import kept_answers
from shared.web.body_hashes import body_hash_of
from shared.web.kept_answers import Answer, Kept, Key

REPLAYED = {"Idempotency-Replayed": "true"}
RETRY_SECONDS = 1
SEALED = "popcandy-sealed"  # Among the headers of an answer that is kept sealed.
_PURPOSE = "kept answers"
KEPT_HEADERS = ("content-type", "content-disposition", "content-language", "etag", "location", "link")

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        pattern=r"^[!-~]+$",
        examples=["01830000-0000-7000-8000-000000000022"],
        description="Drawn by the sender for one call (a UUID, say). Sent again with it, the call is answered again "
        f"and happens once; the answer is kept for {kept_answers.KEPT_FOR.total_seconds() // 3600:.0f} hours.",
    ),
]


class KeyReused(Invalid):
    """A key was sent before, with another request."""

    code = "idempotency_key_reused"
    title = Title(zh="该幂等键已用于另一个请求", en="This key was used for another request")


class RequestInFlight(Conflict):
    """The same key is at work at this moment."""

    code = "request_in_flight"
    title = Title(zh="相同的请求正在处理", en="The same request is being handled")


REFUSALS = (KeyReused, RequestInFlight)


@dataclass(frozen=True, slots=True)
class Asked:
    """A key that a call came with, and the hash of its request."""

    key: Key
    request_hash: bytes


def replays(tx: Session, asked: Sequence[Asked]) -> dict[Key, Answer | Refusal]:
    """Claim keys, and return what was answered to those that are known, or why a key will not do.

    A refusal is RequestInFlight or KeyReused. A key that is in no answer here is new, and the caller's.
    """
    keys = [each.key for each in asked]
    free, found = kept_answers.try_lock(tx, keys), kept_answers.find(tx, keys)
    replies: dict[Key, Answer | Refusal] = {}
    for each in asked:
        known_hash, answer = found.get(each.key, (each.request_hash, None))
        if each.key not in free:
            replies[each.key] = RequestInFlight(retry_after=RETRY_SECONDS)
        elif known_hash != each.request_hash:
            replies[each.key] = KeyReused(field="Idempotency-Key")
        elif answer is not None:
            replies[each.key] = answer
    return replies


def keep(tx: Session, answered: Mapping[Asked, Response], *, operation: str, seals: Seals | None = None) -> None:
    """Keep what is about to be answered to calls with a key; sealed, if there are seals, for it holds a secret."""
    kept_answers.keep(
        tx,
        {
            each.key: Kept(operation, each.request_hash, _sealed(_answer(response), seals))
            for each, response in answered.items()
        },
    )


def asked_by(request: Request, caller: Caller, key: str) -> Asked:
    """Return a key as its sender's own, with the hash of the request."""
    return Asked(Key(caller.programme_id, caller.person_id, key), _hash(request, caller))


def _hash(request: Request, caller: Caller) -> bytes:
    """Return the hash of what is asked for: method, path, query and body, and for which partner."""
    scope = request.scope
    partner = None if caller.partner_id is None else str(caller.partner_id)
    asked = (scope["method"], scope["path"], scope["query_string"].decode("latin-1"), partner)
    return hashlib.sha256(orjson.dumps(asked) + body_hash_of(scope)).digest()


def _answer(response: Response) -> Answer:
    """Return what of a response is kept."""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return Answer(response.status_code, headers, bytes(response.body))


def _sealed(answer: Answer, seals: Seals | None) -> Answer:
    if seals is None:
        return answer
    return Answer(answer.status, answer.headers | {SEALED: "yes"}, seals.seal(answer.body, purpose=_PURPOSE).encode())


def opened(answer: Answer, seals: Seals) -> Answer:
    """Return a kept answer as it was. Raises KeyReused for one that was sealed with a key that is gone."""
    if SEALED not in answer.headers:
        return answer
    headers = {name: value for name, value in answer.headers.items() if name != SEALED}
    try:
        return Answer(answer.status, headers, seals.open(answer.body.decode(), purpose=_PURPOSE))
    except NotOurs as error:
        raise KeyReused(field="Idempotency-Key") from error


def response_of(answer: Answer) -> Response:
    """Return a kept answer as it is sent again."""
    return Response(answer.body, answer.status, answer.headers | REPLAYED)
