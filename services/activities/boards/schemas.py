"""What HTTP callers see of a shift's board."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.activities.boards import queries, rules
from services.activities.boards.rules import Presence
from services.activities.listings.rules import ShiftState
from services.activities.sign_ups import schemas as sign_ups
from shared.web.fields import Count, Parts


class BoardLine(sign_ups.Guest):
    """Somebody who has a place on a shift, as its host may see them, and where they are."""

    presence: Presence
    checked_in_at: AwareDatetime | None
    checked_out_at: AwareDatetime | None


class Board(BaseModel):
    """How a shift stands, for a screen at the door.

    In a `change` of the stream `items` are those that are new or differ, and `gone` those that have no place any more;
    all else is as it is now. In a snapshot `items` are all, in the order of the places, and nobody is `gone`.
    """

    shift_id: UUID
    state: ShiftState
    is_over: bool = Field(description="Nobody comes or leaves any more.")
    expected: Count
    here: Count
    left: Count
    guests: Count | None = Field(description="As counted last; null before.")
    items: Parts[BoardLine]
    gone: Parts[UUID] = Field(description="Of a change: sign-ups.")


def board(row: queries.Board) -> Board:
    """Show a board as a whole."""
    return _board(row, row.lines.values(), [])


def changes(before: queries.Board, after: queries.Board) -> Board:
    """Show what of a board differs."""
    lines, gone = rules.differences(before.lines, after.lines)
    return _board(after, lines, gone)


def _board(row: queries.Board, lines: Iterable[queries.Line], gone: list[UUID]) -> Board:
    counts = Counter(line.presence for line in row.lines.values())
    return Board.model_validate(
        {
            "shift_id": row.shift_id,
            "state": row.state,
            "is_over": row.is_over,
            "expected": counts[Presence.EXPECTED],
            "here": counts[Presence.HERE],
            "left": counts[Presence.LEFT],
            "guests": row.guests,
            "items": [_line(line) for line in lines],
            "gone": gone,
        }
    )


def _line(line: queries.Line) -> BoardLine:
    guest = sign_ups.guest(line.guest)
    return BoardLine(
        **guest.model_dump(),
        presence=line.presence,
        checked_in_at=line.checked_in_at,
        checked_out_at=line.checked_out_at,
    )
