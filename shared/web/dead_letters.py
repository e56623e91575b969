"""The HTTP door to a service's dead letters: read, replayed, given up."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from shared.auth.callers import Caller
from shared.bus.dead_letters import discards, post_mortem, replays
from shared.bus.dead_letters.closings import DeadNoMore, NothingChosen, NotOneWay, ReasonMissing, UnknownLetters
from shared.bus.dead_letters.replays import Progress
from shared.bus.inbox import Inbox
from shared.errors import NotFound
from shared.service import Service
from shared.web import letters
from shared.web.doors import Now, Tx, may
from shared.web.fields import Limit
from shared.web.refusals import refuses

Operator = Annotated[Caller, Depends(may("events.operate"))]
LetterQuery = Annotated[letters.LetterQuery, Query()]
LetterFilter = Annotated[letters.LetterFilter, Query()]


def add_dead_letters(router: APIRouter, service: Service) -> None:
    """Add the routes with which operators deal with what one service could not handle."""
    _add_readings(router)
    _add_replays(router)

    @router.post("/dead-letters/discards", operation_id="discard_dead_letters", response_model=letters.Discarded)
    @refuses(NotOneWay, ReasonMissing, UnknownLetters, DeadNoMore, NothingChosen)
    def discard_dead_letters(body: letters.Discard, caller: Operator, tx: Tx, request: Request) -> discards.Discarded:
        """Give dead letters up for good, and begin to handle what waited behind them."""
        return discards.discard(
            tx, body.wanted(), programme_id=caller.programme_id, discarded_by=caller.person_id, why=body.why,
            release=Inbox(request.app.state.database, service.subscriptions).release,
        )  # fmt: skip


def _add_readings(router: APIRouter) -> None:
    @router.get("/dead-letters", operation_id="list_dead_letters")
    def list_dead_letters(caller: Operator, tx: Tx, asked: LetterQuery) -> letters.DeadLetters:
        """List the newest dead letters of the programme, and those that do not say whose they are."""
        before = letters.place_in(asked.before) if asked.before else None
        page = post_mortem.list_letters(
            tx, asked.wanted(), programme_id=caller.programme_id, before=before, limit=asked.limit
        )
        return letters.DeadLetters.of(page)

    @router.get("/dead-letters/causes", operation_id="list_causes")
    def list_causes(caller: Operator, tx: Tx, asked: LetterFilter) -> letters.Causes:
        """Group the same letters by what they died of."""
        wanted, programme_id = asked.wanted(), caller.programme_id
        causes = post_mortem.list_causes(tx, wanted, programme_id=programme_id)
        total = post_mortem.count_letters(tx, wanted, programme_id=programme_id)
        return letters.Causes(total=total, items=[letters.CauseGroup.of(cause) for cause in causes])

    @router.get("/dead-letters/{letter_id:uuid}", operation_id="get_dead_letter")
    @refuses(NotFound)
    def get_dead_letter(letter_id: UUID, caller: Operator, tx: Tx) -> letters.DeadLetter:
        """Show one letter whole, whatever became of it, with each time that it was tried again."""
        return letters.DeadLetter.of(post_mortem.get_story(tx, letter_id, programme_id=caller.programme_id))


def _add_replays(router: APIRouter) -> None:
    @router.post("/replays", status_code=201, operation_id="request_replay")
    @refuses(NotOneWay, ReasonMissing, UnknownLetters, DeadNoMore, NothingChosen)
    def request_replay(body: letters.ReplayOrder, caller: Operator, tx: Tx, now: Now) -> letters.Ordered:
        """Order that the chosen letters be tried again, one after the other; or only say what that would be about."""
        chosen, programme_id = body.wanted(), caller.programme_id
        if body.preview:
            return letters.Ordered.previewed(replays.preview(tx, chosen, programme_id=programme_id))
        replay = replays.request(
            tx, chosen, programme_id=programme_id, requested_by=caller.person_id, why=body.why,
            letters_per_second=body.letters_per_second, now=now,
        )  # fmt: skip
        return letters.Ordered.of(Progress(replay, replayed=0, failed=0, skipped=0))

    @router.get("/replays", operation_id="list_replays")
    def list_replays(caller: Operator, tx: Tx, before: UUID | None = None, limit: Limit = 50) -> letters.Replays:
        """List the programme's newest replays, with how far each has come."""
        found = replays.list_progress(tx, programme_id=caller.programme_id, before=before, limit=limit)
        return letters.Replays(items=[letters.Replay.of(progress) for progress in found])

    @router.get("/replays/{replay_id}", operation_id="get_replay")
    @refuses(NotFound)
    def get_replay(replay_id: UUID, caller: Operator, tx: Tx) -> letters.Replay:
        """Say how far a replay has come."""
        return letters.Replay.of(replays.get_progress(tx, replay_id, programme_id=caller.programme_id))
