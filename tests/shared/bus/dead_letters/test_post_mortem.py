"""What operators find out about dead letters, each within their programme."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import clock
from shared.bus.burial import Origin, Reason
from shared.bus.dead_letters import post_mortem, replays
from shared.bus.dead_letters.post_mortem import State, Wanted
from shared.database.keyset import read_page
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.web.letter_lists import LETTERS
from tests.factories.ledger import PROGRAMME, make_settled
from tests.shared.bus.dead_letters.dying import Broken, letter, make_dead
from tests.shared.bus.running import Owner

ELSEWHERE = uuid4()


def page(
    database: Database, wanted: Wanted, place: Sequence[object] | None = None, limit: int = 50
) -> tuple[list[UUID], tuple[Any, ...] | None]:
    """Return the ids of some letters, newest first, and where the rest stands."""
    rows = post_mortem.letters_of(PROGRAMME).where(post_mortem.matching(wanted, programme_id=PROGRAMME))
    with database.transaction() as tx:
        found, rest = read_page(tx, rows, LETTERS.order("-died_at"), place=place, limit=limit)
    return [each.id for each in found], rest


def ids(database: Database, wanted: Wanted) -> list[UUID]:
    return page(database, wanted)[0]


def raised(error: Exception) -> Exception:
    """Return an error that was raised here, so that it has a place."""
    try:
        raise error
    except type(error) as caught:
        return caught


class TestList:
    def test_newest_first_and_each_on_one_page(self, listening: Database) -> None:
        """Also those that died in one instant, and whatever dies while somebody reads."""
        made = [make_dead(listening) for _ in range(7)]
        found, place = page(listening, Wanted(), limit=3)
        while place is not None:
            make_dead(listening)
            part, place = page(listening, Wanted(), place, limit=3)
            found += part

        assert found == made[::-1]

    def test_those_of_one_instant_are_each_listed(self, listening: Database, hearer: Owner) -> None:
        """A batch is buried in one transaction."""
        made = {make_dead(listening) for _ in range(5)}
        hearer.execute("UPDATE dead_letter SET died_at = now()")
        first, place = page(listening, Wanted(), limit=2)
        second, end = page(listening, Wanted(), place, limit=3)

        assert {*first, *second} == made
        assert end is None

    def test_by_all_that_tells_them_apart(self, listening: Database, hearer: Owner) -> None:
        """What an operator narrows by."""
        plain = make_dead(listening)
        refused = make_dead(listening, reason=Reason.REFUSED)
        unrouted = make_dead(listening, origin=Origin.UNROUTED, handler=None)
        other = make_dead(listening, handler="ledger.count")
        closed = make_dead(listening)
        hearer.execute("UPDATE dead_letter SET state = 'discarded', closed_at = now() WHERE id = :id", id=closed)
        cause = letter(listening, plain).cause

        assert ids(listening, Wanted()) == [other, unrouted, refused, plain]
        assert ids(listening, Wanted(reason=Reason.REFUSED)) == [refused]
        assert ids(listening, Wanted(origin=Origin.UNROUTED)) == [unrouted]
        assert ids(listening, Wanted(handler="ledger.count")) == [other]
        assert ids(listening, Wanted(cause=cause)) == [plain]
        assert ids(listening, Wanted(type="activities.nothing.v1")) == []
        assert ids(listening, Wanted(state=State.DISCARDED)) == [closed]
        assert ids(listening, Wanted(state=None, cause=cause)) == [closed, plain]
        assert ids(listening, Wanted(ids=(refused, closed))) == [refused]

    def test_of_ones_own_programme_and_of_none(self, listening: Database) -> None:
        """What does not say whose it is must be seen by somebody; another programme's is not."""
        mine = make_dead(listening)
        make_dead(listening, make_settled(programme_id=ELSEWHERE))
        nobodys = make_dead(listening, ce_programmeid="garbage")

        assert ids(listening, Wanted()) == [nobodys, mine]
        with listening.transaction() as tx:
            assert post_mortem.count_letters(tx, Wanted(), programme_id=PROGRAMME) == 2
            assert post_mortem.count_letters(tx, Wanted(), programme_id=ELSEWHERE) == 2


class TestStory:
    def test_says_all_that_is_known(self, listening: Database) -> None:
        """Place, stack, headers and body, and each replay, newest first, also those whose turn is to come."""
        dead = make_dead(listening, error=raised(Broken("badly")))
        with listening.transaction() as tx:
            first, second = (
                replays.request(
                    tx, Wanted(ids=(dead,)), programme_id=PROGRAMME, requested_by=uuid4(), why=why, now=clock.now()
                )
                for why in ("first", "second")
            )  # fmt: skip
        with listening.transaction() as tx:
            story = post_mortem.get_story(tx, dead, programme_id=PROGRAMME)

        assert story.place == "test_post_mortem.py:raised"
        assert "badly" in (story.letter.stack or "")
        assert [(each.replay_id, each.why, each.outcome) for each in story.replays] == [
            (second.id, "second", None), (first.id, "first", None),
        ]  # fmt: skip

    def test_another_programmes_is_not_found(self, listening: Database) -> None:
        """Nor what does not exist: the two look the same."""
        foreign = make_dead(listening, make_settled(programme_id=ELSEWHERE))
        for letter_id in (foreign, uuid4()):
            with listening.transaction() as tx, pytest.raises(NotFound):
                post_mortem.get_story(tx, letter_id, programme_id=PROGRAMME)


class TestCauses:
    def test_group_what_died_alike(self, listening: Database) -> None:
        """However the messages differ: the most frequent first, with when it began and when it was last seen."""
        many = [make_dead(listening, error=raised(Broken(f"row {number}"))) for number in range(3)]
        one = make_dead(listening, error=raised(ValueError("once")))
        make_dead(listening, make_settled(programme_id=ELSEWHERE))
        with listening.transaction() as tx:
            found = post_mortem.list_causes(tx, Wanted(), programme_id=PROGRAMME)

        letters = [letter(listening, each) for each in many]
        assert [(each.letters, each.newest.exception, each.newest.id) for each in found] == [
            (3, "Broken", many[-1]), (1, "ValueError", one),
        ]  # fmt: skip
        assert (found[0].first_died_at, found[0].last_died_at) == (letters[0].died_at, letters[2].died_at)
        assert found[0].newest.error == "Broken: row 2"
        assert found[0].place == "test_post_mortem.py:raised"


@pytest.mark.parametrize("stack", [None, "", "no frames at all"])
def test_a_stack_without_frames_names_no_place(stack: str | None) -> None:
    """A letter that no code of ours ever had in hand."""
    assert post_mortem.place_of(stack) is None
