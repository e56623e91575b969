from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.check_ins import rules
from services.activities.check_ins.tables import CodeAttempt
from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.activities.told import emitted
from tests.factories.activities import NINE, NOON, at, code, make_shift, make_sign_up
from tests.shared.bus.running import counted

SECOND = timedelta(seconds=1)


@pytest.fixture
def shift(door: Door) -> Shift:
    return door.put_in(lambda tx: make_shift(tx, programme_id=door.programme_id))


@pytest.fixture
def place(door: Door, shift: Shift) -> SignUp:
    return door.put_in(lambda tx: make_sign_up(tx, shift))


@pytest.fixture
def guest(door: Door, place: SignUp) -> Door:
    return door.by(Role.VOLUNTEER, person_id=place.volunteer_id)


def check_in(guest: Door, place: SignUp, given: str, *, way: str = "in", now: datetime | None = None) -> Any:
    guest.watch.now = now or guest.watch.now
    return guest.post(f"/shifts/{place.shift_id}/check-{way}s", code=given)


def failed(door: Door, place: SignUp) -> int | None:
    """Read how many wrong codes are counted."""

    def read(tx: Session) -> int | None:
        rows = select(CodeAttempt.failed).where(
            CodeAttempt.shift_id == place.shift_id, CodeAttempt.volunteer_id == place.volunteer_id
        )
        return tx.scalars(rows).first()

    return door.put_in(read)


def wrong(number: int = 0) -> str:
    """Name a code that no step around nine has."""
    shown = {code(NINE, steps=steps) for steps in range(-100, 100)}
    return [given for given in (f"{given:06}" for given in range(1000)) if given not in shown][number]


def call_off(door: Door, shift_id: UUID) -> None:
    """Call a shift off the day before."""
    now, door.watch.now = door.watch.now, NINE - timedelta(days=1)
    assert door.decide(f"/shifts/{shift_id}", "cancel", reason="台风").status_code == 200
    door.watch.now = now


class TestShow:
    def test_the_partner_shows_the_code_of_now(self, door: Door, shift: Shift) -> None:
        """And when it gives way to the next."""
        own = door.by(Role.PARTNER, partner_id=shift.partner_id)
        door.watch.now = NINE + 29 * SECOND
        first = own.get(f"/shifts/{shift.id}/code").json()
        door.watch.now = NINE + 30 * SECOND
        second = own.get(f"/shifts/{shift.id}/code").json()

        assert first == {"code": code(NINE), "valid_until": "2022-06-01T01:00:30Z"}
        assert second == {"code": code(NINE, steps=1), "valid_until": "2022-06-01T01:01:00Z"}

    def test_nobody_else_sees_it(self, door: Door, shift: Shift) -> None:
        """Not another partner, not another programme, not the operator."""
        path = f"/shifts/{shift.id}/code"
        own = door.by(Role.PARTNER, partner_id=shift.partner_id)
        for caller in (door.by(Role.PARTNER, partner_id=uuid4()), own.elsewhere()):
            assert refusal(caller.get(path)) == (404, "not_found")
        assert refusal(door.get(path)) == (403, "missing_permission")

    def test_a_cancelled_shift_shows_none(self, door: Door, shift: Shift) -> None:
        """There is nobody to let in."""
        call_off(door, shift.id)
        own = door.by(Role.PARTNER, partner_id=shift.partner_id)
        assert refusal(own.get(f"/shifts/{shift.id}/code")) == (409, "shift_cancelled")


class TestScan:
    def test_in_and_out_is_a_settled_service(self, door: Door, shift: Shift, place: SignUp, guest: Door) -> None:
        """With the codes that the partner shows; each again is the same answer."""
        partner = door.by(Role.PARTNER, partner_id=shift.partner_id)
        answers = []
        for way, now in (("in", NINE), ("out", NOON)):
            door.watch.now = now
            shown = partner.get(f"/shifts/{shift.id}/code").json()["code"]
            answers += [check_in(guest, place, shown, way=way) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201, 200, 200]
        assert answers[0].json() == answers[1].json()
        assert answers[2].json() == answers[3].json()
        assert (answers[0].json()["state"], answers[0].json()["checked_out_at"]) == ("checked_in", None)
        settled = answers[2].json()
        assert (settled["state"], settled["service_minutes"], settled["evidence"]) == ("settled", 180, "scanned")
        assert settled["volunteer_id"] == str(place.volunteer_id)
        facts = door.put_in(lambda tx: emitted(tx, door.programme_id))
        assert [(str(fact.attendance_id), fact.version, fact.service_minutes) for fact in facts] == [
            (settled["id"], 1, 180)
        ]

    def test_each_question_is_asked_once(self, door: Door, guest: Door, place: SignUp, shift: Shift) -> None:
        """Who is held, what stands, what else is settled; then written: service, fact, scan and trail."""
        another = door.put_in(lambda tx: make_sign_up(tx, tx.merge(shift)))
        leaving = [(guest, place), (door.by(Role.VOLUNTEER, person_id=another.volunteer_id), another)]
        for person, where in leaving:
            check_in(person, where, code(NINE))

        asked = []
        for person, where in leaving:
            with counted(door.database.engine) as seen:
                assert check_in(person, where, code(NOON), way="out", now=NOON).status_code == 200
            asked.append(len(seen))

        assert asked == [1 + 8, 1 + 7]  # With their transaction; the first to leave says that the shift was held.

    @pytest.mark.parametrize(
        ("way", "given", "now", "status", "expected"),
        [
            ("in", code(NINE, steps=-2), NINE, 422, "code_expired"),
            ("in", wrong(), NINE, 422, "wrong_code"),
            ("in", code(at(8, 29)), at(8, 29), 409, "check_in_closed"),
            ("in", code(at(12, 31)), at(12, 31), 409, "check_in_closed"),
            ("in", "12345", NINE, 422, "invalid_input"),
            ("in", "1234567", NINE, 422, "invalid_input"),
            ("in", "123456\n", NINE, 422, "invalid_input"),
            ("in", "\uff11\uff12\uff13\uff14\uff15\uff16", NINE, 422, "invalid_input"),
            ("out", code(NOON), NOON, 409, "not_checked_in"),
        ],
    )
    def test_refusals_say_why(
        self, guest: Door, place: SignUp, way: str, given: str, now: datetime, status: int, expected: str
    ) -> None:
        """In one code that the page can read, and nothing is recorded."""
        answer = check_in(guest, place, given, way=way, now=now)
        assert refusal(answer) == (status, expected)
        mine = guest.get(f"/shifts/{place.shift_id}/attendance/mine").json()
        assert mine["state"] == "expected"

    def test_second_scans_say_why(self, guest: Door, place: SignUp) -> None:
        """Reused, already in, already out."""
        check_in(guest, place, code(NINE), now=NINE)
        assert refusal(check_in(guest, place, code(NINE), way="out")) == (422, "code_reused")
        assert refusal(check_in(guest, place, code(at(10)), now=at(10))) == (409, "already_checked_in")
        check_in(guest, place, code(at(11)), way="out", now=at(11))
        assert refusal(check_in(guest, place, code(NOON), way="out", now=NOON)) == (409, "already_checked_out")

    def test_strangers_and_cancelled_shifts_say_why(self, door: Door, guest: Door, place: SignUp) -> None:
        """Who has no place, another programme, a shift called off."""
        path = f"/shifts/{place.shift_id}/check-ins"
        assert refusal(door.by(Role.VOLUNTEER).post(path, code=code(NINE))) == (404, "not_signed_up")
        assert refusal(guest.elsewhere().post(path, code=code(NINE))) == (404, "not_found")
        call_off(door, place.shift_id)
        assert refusal(check_in(guest, place, code(NINE))) == (409, "shift_cancelled")

    def test_the_window_is_told(self, guest: Door, place: SignUp) -> None:
        """In the person's language."""
        guest.language = "zh"
        answer = check_in(guest, place, "000000", now=at(8))
        assert answer.json()["title"] == "不在签到时间内"
        assert answer.json()["facts"] == {
            "opens_at": "2022-06-01T00:30:00+00:00",
            "closes_at": "2022-06-01T04:30:00+00:00",
        }


class TestAttempts:
    def test_five_wrong_codes_lock_and_survive_the_refusal(self, door: Door, guest: Door, place: SignUp) -> None:
        """A refusal rolls back what was begun, but not the count (PITFALLS H7); the right code waits too."""
        for number in range(5):
            assert refusal(check_in(guest, place, wrong(number))) == (422, "wrong_code")
            assert failed(door, place) == number + 1

        answer = check_in(guest, place, code(NINE))

        assert refusal(answer) == (429, "too_many_attempts")
        assert (answer.json()["facts"], answer.headers["retry-after"]) == ({"retry_after": 601}, "601")
        assert failed(door, place) == 5

    def test_the_lock_opens_after_ten_minutes(self, guest: Door, place: SignUp) -> None:
        """However often one knocked meanwhile; then five more may be wrong."""
        for number in range(5):
            check_in(guest, place, wrong(number), now=NINE)
        free_at = NINE + rules.LOCKED_FOR
        closed = check_in(guest, place, code(free_at - SECOND), now=free_at - SECOND)
        assert (closed.status_code, closed.headers["retry-after"]) == (429, "2")

        for number in range(4):
            assert refusal(check_in(guest, place, wrong(number), now=free_at)) == (422, "wrong_code")
        assert check_in(guest, place, code(free_at)).status_code == 201

    def test_wrong_codes_long_apart_do_not_add_up(self, door: Door, guest: Door, place: SignUp) -> None:
        """Ten minutes after the last one, the next is the first."""
        for number in range(4):
            check_in(guest, place, wrong(number), now=NINE)
        check_in(guest, place, wrong(), now=NINE + rules.LOCKED_FOR - SECOND)
        assert failed(door, place) == 5
        check_in(guest, place, wrong(), now=NINE + 2 * rules.LOCKED_FOR - SECOND)
        assert failed(door, place) == 1

    def test_a_right_code_ends_the_row(self, door: Door, guest: Door, place: SignUp) -> None:
        """Typing errors on arrival do not lock the departure."""
        for number in range(4):
            check_in(guest, place, wrong(number))
        assert check_in(guest, place, code(NINE)).status_code == 201
        assert failed(door, place) is None

    def test_expired_and_reused_codes_are_not_counted(self, door: Door, guest: Door, place: SignUp) -> None:
        """Who is late is not guessing."""
        for _ in range(6):
            assert refusal(check_in(guest, place, code(NINE, steps=-3))) == (422, "code_expired")
        assert check_in(guest, place, code(NINE)).status_code == 201
        for _ in range(6):
            assert refusal(check_in(guest, place, code(NINE), way="out")) == (422, "code_reused")
        assert failed(door, place) is None

    def test_wrong_codes_of_the_departure_count_too(self, door: Door, guest: Door, place: SignUp) -> None:
        """One person, one shift, one count."""
        check_in(guest, place, code(NINE))
        for number in range(5):
            check_in(guest, place, wrong(number), way="out")
        assert failed(door, place) == 5
        assert refusal(check_in(guest, place, code(NINE, steps=1), way="out")) == (429, "too_many_attempts")

    def test_one_persons_lock_is_nobody_elses(self, door: Door, guest: Door, place: SignUp, shift: Shift) -> None:
        """Neighbours come in."""
        for number in range(5):
            check_in(guest, place, wrong(number))
        other = door.put_in(lambda tx: make_sign_up(tx, tx.merge(shift)))
        neighbour = door.by(Role.VOLUNTEER, person_id=other.volunteer_id)
        assert check_in(neighbour, other, code(NINE)).status_code == 201

    def test_twenty_guesses_at_once_are_five(self, door: Door, guest: Door, place: SignUp) -> None:
        """Guessing in parallel gains nothing: five are looked at, all of them counted, the others turned away."""
        barrier = Barrier(20)

        def guess(number: int) -> tuple[int, str]:
            barrier.wait(20)
            return refusal(check_in(guest, place, wrong(number)))

        with ThreadPoolExecutor(20) as threads:
            outcomes = list(threads.map(guess, range(20)))

        assert outcomes.count((422, "wrong_code")) == 5
        assert outcomes.count((429, "too_many_attempts")) == 15
        assert failed(door, place) == 5
