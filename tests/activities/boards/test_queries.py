"""What boards are read from."""

from sqlalchemy.orm import Session

from services.activities.boards import queries
from services.activities.consents import actions as consents
from services.activities.consents.actions import Record
from services.activities.consents.rules import TERMS, Purpose
from services.activities.rosters.tables import GuestCount
from services.activities.sign_ups.queries import list_roster
from tests.factories.activities import (
    NINE,
    REVIEWER,
    at,
    make_attendance,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)


def test_a_board_shows_the_roster_and_where_each_is(tx: Session) -> None:
    """By name who consents, as the roster does; who gave the place back or waits is not on it."""
    shift = make_shift(tx)
    named, here, left = (make_volunteer(tx) for _ in range(3))
    said = Record(shift.programme_id, named.id, Purpose.PARTNER_ROSTER, "zh", named.id, None, NINE)
    consents.give(tx, said, version=TERMS[Purpose.PARTNER_ROSTER].current.version)
    places = [make_sign_up(tx, shift, volunteer=each) for each in (named, here, left)]
    make_sign_up(tx, shift, state="withdrawn")
    make_sign_up(tx, shift, state="waitlisted")
    make_attendance(tx, shift, volunteer_id=here.id)
    make_settled(tx, shift, came=NINE, left=at(11), volunteer_id=left.id)
    tx.add(GuestCount(shift_id=shift.id, guests=3, counted_by=REVIEWER, counted_at=NINE))
    tx.flush()

    board = queries.get_board(tx, programme_id=shift.programme_id, shift_id=shift.id, partner_id=shift.partner_id)

    assert [line.guest for line in board.lines.values()] == list_roster(tx, shift_id=shift.id)
    assert [line.guest.display_name for line in board.lines.values()] == [named.display_name, None, None]
    assert [(key, line.presence) for key, line in board.lines.items()] == [
        (places[0].id, "expected"), (places[1].id, "here"), (places[2].id, "left"),
    ]  # fmt: skip
    assert [line.checked_out_at for line in board.lines.values()] == [None, None, at(11)]
    assert (board.state, board.guests, board.is_over) == ("held", 3, False)


def test_boards_of_several_shifts_are_each_their_own(tx: Session) -> None:
    """One statement for all that is watched: each is numbered for itself, and an empty one is there too."""
    full, empty = make_shift(tx), make_shift(tx)
    make_sign_up(tx, make_shift(tx))
    for _ in range(2):
        make_sign_up(tx, full)

    boards = queries.find_boards(tx, [full.id, empty.id])

    assert {key: len(board.lines) for key, board in boards.items()} == {full.id: 2, empty.id: 0}
    assert [line.guest.number for line in boards[full.id].lines.values()] == [1, 2]


def test_an_erased_person_is_on_no_board(tx: Session) -> None:
    """As on no roster."""
    shift = make_shift(tx)
    make_sign_up(tx, shift, volunteer=make_volunteer(tx, erased_at=NINE, employee_number="erased:1"))

    assert queries.find_boards(tx, [shift.id])[shift.id].lines == {}
