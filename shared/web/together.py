"""Hot doors: calls that come at the same time are carried out together, many in one transaction.

    @router.post("/check-ins", operation_id="check_in", response_model=Attendance)
    @together(actions.check_in_many, hold=actions.hold_people)
    def check_in(shift_id: UUID, body: GivenCode, caller: Volunteer, now: Now) -> Attempt: ...

The endpoint says what is asked for; `many` carries out such commands, of another person each, and returns for each what
an endpoint would return, or a refusal. A group gathers while the one before it is at work, so nobody waits for one to
fill, and each call is answered after its group's commit. What hinders one call does not touch its neighbours: a refusal
is a value; who is locked by somebody else is set apart and waits alone; a group that fails is halved until the culprit
stands alone. Keys, trails and traces are each call's own. Source: decision 0041.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared import telemetry
from shared.audit import entries, trail
from shared.audit.entries import Call
from shared.bus.outbox import trace_each
from shared.database.faults import is_away
from shared.database.sessions import Database
from shared.errors import Refusal
from shared.web import idempotency
from shared.web.idempotency import Asked

MOST_AT_ONCE = 200
MOST_WAITING = 5_000
GROUP_CONNECTIONS = 2  # Of the group at work, and of one call that was set apart.
RETRY_SECONDS = "2"

log = telemetry.get_logger()

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


Many = Callable[[Session, Sequence[Any]], Sequence[Any]]


class Hold(Protocol):
    """Locks what commands need: all of it or, without waiting, what is free."""

    def __call__(self, tx: Session, commands: Sequence[Any], /, *, wait: bool) -> Sequence[bool]:
        """Say of which commands it has."""


@dataclass(frozen=True, slots=True)
class Act:
    """How the commands of a door are carried out, once what they need is held."""

    many: Many
    hold: Hold


def together(many: Many, *, hold: Hold) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that returns a command, to be carried out by `many` with those of others."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.together = Act(many, hold)  # type: ignore[attr-defined]  # Read by `act_of`.
        return endpoint

    return mark


def act_of(endpoint: Callable[..., Any]) -> Act | None:
    """Return how an endpoint's commands are carried out together, if they are."""
    found: Act | None = getattr(endpoint, "together", None)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One call on its way: what is asked for, by whom, with which key and trace, and where its answer goes."""

    act: Act
    represented: Callable[[Any], Response]
    command: object
    call: Call
    asked: Asked | None
    traceparent: str = field(default_factory=telemetry.traceparent)
    answer: "asyncio.Future[Response]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def person(self) -> object:
        """Whose call it is: a group has one of each person at most."""
        return self.call.who.person_id


Outcome = Response | Exception | None  # None: somebody else holds what it needs.


class Groups:
    """Carries out the calls of an app's hot doors: one group at a time, and beside it one call that has to wait."""

    def __init__(self, database: Database, *, most: int = MOST_AT_ONCE) -> None:
        """Write into a service's database, `most` calls at once, on two connections at most."""
        self.database = database
        self._line = _Line(self._serve, most=most)
        self._apart = _Line(self._serve, most=1)

    @property
    def length(self) -> int:
        """How many calls wait, those at work not counted."""
        return self._line.length + self._apart.length

    async def join(self, member: Member) -> Response:
        """Have a call carried out and return its answer. Raises its refusal; HTTPException 503 if too many wait."""
        if self.length >= MOST_WAITING:
            raise HTTPException(503, headers={"Retry-After": RETRY_SECONDS})
        self._line.add(member)
        return await member.answer

    def _serve(self, members: Sequence[Member]) -> None:
        """Carry out a group and answer all of it, but those that have to wait for somebody else."""
        answers: dict[asyncio.AbstractEventLoop, list[tuple[Member, Response | Exception]]] = {}
        for member, outcome in zip(members, self._outcomes(members), strict=True):
            if outcome is None:
                self._apart.add(member)
            else:
                answers.setdefault(member.answer.get_loop(), []).append((member, outcome))
        for loop, answered in answers.items():
            with suppress(RuntimeError):  # A loop that is closed: nobody waits there any more.
                loop.call_soon_threadsafe(_answer, answered)

    def _outcomes(self, members: Sequence[Member]) -> list[Outcome]:
        """Carry out a group, halving it around a culprit until it stands alone."""
        try:
            with telemetry.trace(None), self.database.transaction() as tx:
                return _carry_out(tx, members)
        except Exception as error:  # noqa: BLE001  Whatever it is, it is these calls' answer.
            if len(members) == 1 or is_away(error):
                return [error] * len(members)
            log.warning("together.group_failed", operation=members[0].call.operation, calls=len(members),
                        reason=type(error).__name__)  # fmt: skip
        middle = len(members) // 2
        return [*self._outcomes(members[:middle]), *self._outcomes(members[middle:])]


def _answer(answered: Sequence[tuple[Member, Response | Exception]]) -> None:
    """Answer calls on their event loop, woken once for all of them."""
    for member, outcome in answered:
        if member.answer.done():
            continue  # Nobody waits for it any more.
        if isinstance(outcome, Response):
            member.answer.set_result(outcome)
        else:
            member.answer.set_exception(outcome)


def _carry_out(tx: Session, members: Sequence[Member]) -> list[Outcome]:
    """Carry out a group in its transaction: known keys, what is free, representations, trails, kept answers."""
    outcomes = _replayed(tx, members)
    new = [member for member in members if member not in outcomes]
    held = _held(tx, new, wait=len(members) == 1) if new else []
    if held:
        outcomes |= _acted(tx, held)
    return [outcomes.get(member) for member in members]


def _held(tx: Session, members: Sequence[Member], *, wait: bool) -> list[Member]:
    is_held = members[0].act.hold(tx, [member.command for member in members], wait=wait)
    return [member for member, is_its in zip(members, is_held, strict=True) if is_its]


def _replayed(tx: Session, members: Sequence[Member]) -> dict[Member, Outcome]:
    """Answer again what was answered before."""
    with_key = {member: member.asked for member in members if member.asked is not None}
    if not with_key:
        return {}
    known = idempotency.replays(tx, list(with_key.values()))
    return {
        member: reply if isinstance(reply, Refusal) else idempotency.response_of(reply)
        for member, asked in with_key.items()
        if (reply := known.get(asked.key)) is not None
    }


def _acted(tx: Session, members: Sequence[Member]) -> dict[Member, Outcome]:
    trails = trail.begin_each(tx, (member.person for member in members))
    trace_each(tx, {member.person: member.traceparent for member in members})
    results = members[0].act.many(tx, [member.command for member in members])
    refused = {member: result for member, result in zip(members, results, strict=True) if isinstance(result, Refusal)}
    done = {
        member: member.represented(result)
        for member, result in zip(members, results, strict=True)
        if member not in refused
    }
    if done:
        entries.write_done(tx, *((member.call, trails[member.person]) for member in done))
    answered = {member.asked: response for member, response in done.items() if member.asked is not None}
    if answered:
        idempotency.keep(tx, answered, operation=members[0].call.operation)
    return {**refused, **done}


class _Line:
    """Members that wait, and a thread for as long as there are any."""

    def __init__(self, serve: Callable[[Sequence[Member]], None], *, most: int) -> None:
        self._serve = serve
        self._most = most
        self._waiting: deque[Member] = deque()
        self._is_at_work = False
        self._lock = threading.Lock()

    @property
    def length(self) -> int:
        return len(self._waiting)

    def add(self, member: Member) -> None:
        with self._lock:
            self._waiting.append(member)
            if self._is_at_work:
                return
            self._is_at_work = True
        threading.Thread(target=self._work, name="together", daemon=True).start()  # Its end waits for requests alone.

    def _work(self) -> None:
        while group := self._next():
            self._serve(group)

    def _next(self) -> list[Member]:
        """Take those who wait longest, of one door and another person each; the others stay in order."""
        with self._lock:
            group: dict[object, Member] = {}
            staying: deque[Member] = deque()
            while self._waiting and len(group) < self._most:
                member = self._waiting.popleft()
                if member.answer.cancelled():
                    continue
                is_first_of_kind = not group or member.act == next(iter(group.values())).act
                if is_first_of_kind and member.person not in group:
                    group[member.person] = member
                else:
                    staying.append(member)
            self._waiting.extendleft(reversed(staying))
            self._is_at_work = bool(group)
            return list(group.values())
