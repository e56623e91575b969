"""The HTTP door to a service's dead letters: read, replayed, given up."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from shared.auth.callers import Caller
from shared.bus.dead_letters import discards, post_mortem, replays
from shared.bus.dead_letters.closings import DeadNoMore, NothingChosen, NotOneWay, ReasonMissing, UnknownLetters
from shared.bus.dead_letters.replays import Progress
from shared.bus.inbox import Inbox
from shared.bus.tables import Replay
from shared.errors import NotFound
from shared.service import Service
from shared.web import letters
from shared.web.doors import Now, Tx, may
from shared.web.letter_lists import CAUSES, DEAD_LETTERS, REPLAY_LIST, wanted_by
from shared.web.lists import Answer, Asked
from shared.web.refusals import refuses
from shared.web.routes import Router

Operator = Annotated[Caller, Depends(may("events.operate"))]


def add_dead_letters(router: Router, service: Service) -> None:
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


def _add_readings(router: Router) -> None:
    @router.get(
        "/dead-letters",
        operation_id="list_dead_letters",
        response_model=DEAD_LETTERS.page,
        responses=DEAD_LETTERS.responses,
    )
    def list_dead_letters(caller: Operator, asked: Annotated[Asked, Depends(DEAD_LETTERS.asked)], tx: Tx) -> Answer:
        """List the newest dead letters of the programme, and those that do not say whose they are."""
        return DEAD_LETTERS.answer(asked, tx, caller, post_mortem.letters_of(caller.programme_id))

    @router.get(
        "/dead-letters/causes", operation_id="list_causes", response_model=letters.Causes, responses=CAUSES.responses
    )
    def list_causes(caller: Operator, asked: Annotated[Asked, Depends(CAUSES.asked)], tx: Tx) -> Answer:
        """Group the same letters by what they died of."""
        wanted, programme_id = wanted_by(asked.filters), caller.programme_id
        causes = post_mortem.list_causes(tx, wanted, programme_id=programme_id)
        total = post_mortem.count_letters(tx, wanted, programme_id=programme_id)
        whole = letters.Causes(total=total, items=[letters.CauseGroup.of(cause) for cause in causes])
        return CAUSES.answer(asked, whole, whole.items)

    @router.get("/dead-letters/{letter_id:uuid}", operation_id="get_dead_letter")
    @refuses(NotFound)
    def get_dead_letter(letter_id: UUID, caller: Operator, tx: Tx) -> letters.DeadLetter:
        """Show one letter whole, whatever became of it, with each time that it was tried again."""
        return letters.DeadLetter.of(post_mortem.get_story(tx, letter_id, programme_id=caller.programme_id))


def _add_replays(router: Router) -> None:
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

    @router.get(
        "/replays", operation_id="list_replays", response_model=REPLAY_LIST.page, responses=REPLAY_LIST.responses
    )
    def list_replays(caller: Operator, asked: Annotated[Asked, Depends(REPLAY_LIST.asked)], tx: Tx) -> Answer:
        """List the programme's newest replays, with how far each has come."""
        return REPLAY_LIST.answer(asked, tx, caller, replays.replays_of(caller.programme_id), show=_shown)

    @router.get("/replays/{replay_id}", operation_id="get_replay")
    @refuses(NotFound)
    def get_replay(replay_id: UUID, caller: Operator, tx: Tx) -> letters.Replay:
        """Say how far a replay has come."""
        return letters.Replay.of(replays.get_progress(tx, replay_id, programme_id=caller.programme_id))


def _shown(tx: Session, found: Sequence[Replay]) -> list[letters.Replay]:
    return [letters.Replay.of(progress) for progress in replays.progress_of(tx, found)]
