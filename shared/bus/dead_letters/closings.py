"""What replaying and discarding have in common: chosen letters, somebody's reason, and what waited behind them."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.bus.dead_letters.post_mortem import State, Wanted, matching
from shared.bus.tables import DeadLetter
from shared.errors import Conflict, Invalid, NotFound, Title

SHOWN = 10  # Ids that a refusal names.
Release = Callable[[Session, str, str], int]  # An inbox's, of a handler and a partition key.


class ReasonMissing(Invalid):
    """Somebody wants dead letters replayed or discarded and does not say why."""

    code = "reason_missing"
    title = Title(zh="请写明理由", en="Say why")


class NotOneWay(Invalid):
    """Letters were chosen in no way or in several: by `ids`, by `cause`, or `all`; what narrows goes with `all`."""

    code = "letters_not_chosen_one_way"
    title = Title(zh="请只用一种方式选择", en="Choose letters in exactly one way")


class NothingChosen(Conflict):
    """No dead letter is among what was chosen."""

    code = "nothing_chosen"
    title = Title(zh="没有符合条件的死信", en="No dead letter is among these")


class UnknownLetters(NotFound):
    """Some of the chosen letters do not exist, or not for this caller."""

    code = "unknown_dead_letters"
    title = Title(zh="没有找到这些死信", en="There are no such dead letters")


class DeadNoMore(Conflict):
    """Some of the chosen letters were replayed or discarded already."""

    code = "dead_no_more"
    title = Title(zh="其中有的死信已经处理", en="Some of these letters are closed already")


def require_reason(why: str) -> str:
    """Return the reason as it is kept. Raises ReasonMissing."""
    if not why.strip():
        raise ReasonMissing
    return why.strip()


def require_dead(tx: Session, chosen: Wanted, *, programme_id: UUID) -> None:
    """Refuse ids that are unknown or closed. Raises UnknownLetters, DeadNoMore."""
    if chosen.ids is None:
        return
    seen = matching(Wanted(ids=chosen.ids, state=None), programme_id=programme_id)
    states = {row.id: row.state for row in tx.execute(select(DeadLetter.id, DeadLetter.state).where(seen))}
    unknown = [each for each in chosen.ids if each not in states]
    if unknown:
        raise UnknownLetters(ids=unknown[:SHOWN])
    closed = [each for each, state in states.items() if state != State.DEAD]
    if closed:
        raise DeadNoMore(ids=closed[:SHOWN])


def let_go(tx: Session, handler: str, partition_key: str, release: Release) -> int:
    """Have what waited behind closed letters handled, unless another of the same key is dead; return how many were.

    That may be only the first of many: the rest still waits, in order, until the upkeep lets it go.
    """
    blocking = select(DeadLetter.id).where(
        DeadLetter.handler == handler, DeadLetter.partition_key == partition_key, DeadLetter.state == State.DEAD
    )
    return 0 if tx.scalar(blocking.limit(1)) else release(tx, handler, partition_key)
