import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from services.activities.check_ins import rules
from tests.factories.activities import NINE, NOON, SECRET, code

SECOND = timedelta(seconds=1)
HALF_HOUR = timedelta(minutes=30)
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
RFC_6238 = [  # Appendix B, SHA-1; its eight digits end in our six.
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


class TestCode:
    @pytest.mark.parametrize(("step", "expected"), list(enumerate(RFC_4226)))
    def test_counts_as_rfc_4226(self, step: int, expected: str) -> None:
        """Any authenticator computes the same (appendix D)."""
        assert rules.code_at(SECRET, step) == expected

    @pytest.mark.parametrize(("seconds", "expected"), RFC_6238)
    def test_turns_as_rfc_6238(self, seconds: int, expected: str) -> None:
        """A half minute is a step."""
        now = datetime.fromtimestamp(seconds, UTC)
        assert rules.code_at(SECRET, rules.code_step(now)) == expected[-6:] == pyotp.TOTP(SECRET).at(now)

    def test_the_vectors_secret_is_ours(self) -> None:
        """Base 32 of the RFC's twenty ASCII digits."""
        assert base64.b32decode(SECRET) == b"12345678901234567890"

    def test_gives_way_at_the_half_minute(self) -> None:
        """A code is shown from its first instant up to, not including, the next one's."""
        step = rules.code_step(NINE)
        ends_at = rules.step_ends_at(step)
        assert ends_at == NINE + timedelta(seconds=30)
        assert rules.code_step(ends_at - timedelta(microseconds=1)) == step
        assert rules.code_step(ends_at) == step + 1


class TestFindStep:
    @pytest.mark.parametrize("steps", [1, 0, -1, -20])
    def test_knows_the_next_and_the_last_ten_minutes(self, steps: int) -> None:
        """So that an old code is called expired, and a clock may run ahead by a step."""
        step = rules.find_step(SECRET, code(NINE, steps=steps), now=NINE)
        assert step == rules.code_step(NINE) + steps

    @pytest.mark.parametrize("steps", [2, -21])
    def test_knows_no_others(self, steps: int) -> None:
        """What lies further off is just wrong."""
        assert rules.find_step(SECRET, code(NINE, steps=steps), now=NINE) is None

    def test_another_shifts_code_is_wrong(self) -> None:
        """Each shift has a secret of its own."""
        other = base64.b32encode(b"another shift secret").decode()
        assert rules.find_step(SECRET, code(NINE, secret=other), now=NINE) is None

    @pytest.mark.parametrize("given", ["", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "0" * 100])
    def test_text_that_is_no_code_is_wrong(self, given: str) -> None:
        """Whatever it is; full-width digits are not digits here."""
        assert rules.find_step(SECRET, given, now=NINE) is None


class TestRequireFresh:
    @pytest.mark.parametrize("step", [99, 100, 101])
    def test_takes_this_half_minute_and_its_neighbours(self, step: int) -> None:
        """A person needs a moment; two clocks differ a little."""
        assert rules.require_fresh(step, current=100) == step

    def test_tells_expired_from_wrong(self) -> None:
        """Who is late scans again; who is wrong is counted."""
        with pytest.raises(rules.CodeExpired):
            rules.require_fresh(98, current=100)
        with pytest.raises(rules.WrongCode):
            rules.require_fresh(None, current=100)


class TestWindow:
    @pytest.mark.parametrize("leaving", [False, True])
    @pytest.mark.parametrize("now", [NINE - HALF_HOUR, NINE, NOON, NOON + HALF_HOUR])
    def test_opens_and_closes_to_the_second(self, now: datetime, *, leaving: bool) -> None:
        """Half an hour before the start and after the end, both included."""
        rules.require_in_window(starts_at=NINE, ends_at=NOON, now=now, leaving=leaving)

    @pytest.mark.parametrize(("leaving", "refusal"), [(False, rules.CheckInClosed), (True, rules.CheckOutClosed)])
    @pytest.mark.parametrize("now", [NINE - HALF_HOUR - SECOND, NOON + HALF_HOUR + SECOND])
    def test_is_closed_a_second_outside(self, now: datetime, refusal: type[Exception], *, leaving: bool) -> None:
        """And says from when to when it is open."""
        with pytest.raises(refusal) as refused:
            rules.require_in_window(starts_at=NINE, ends_at=NOON, now=now, leaving=leaving)
        assert refused.value.args[1] == {"opens_at": NINE - HALF_HOUR, "closes_at": NOON + HALF_HOUR}


class TestAttempts:
    def test_five_wrong_codes_lock_for_ten_minutes(self) -> None:
        """Four do not; and the person is told how long to wait."""
        rules.require_attempts_left(failed=4, last_failed_at=NINE, now=NINE)
        with pytest.raises(rules.TooManyAttempts) as refused:
            rules.require_attempts_left(failed=5, last_failed_at=NINE, now=NINE + SECOND)
        assert refused.value.facts == {"retry_after": 600}

    def test_the_lock_opens_after_ten_minutes(self) -> None:
        """At that very second."""
        free_at = NINE + timedelta(minutes=10)
        with pytest.raises(rules.TooManyAttempts):
            rules.require_attempts_left(failed=5, last_failed_at=NINE, now=free_at - SECOND)
        rules.require_attempts_left(failed=5, last_failed_at=NINE, now=free_at)


class TestScans:
    def test_one_photo_proves_only_the_arrival(self) -> None:
        """The code of the arrival, or an older one, does not prove the departure."""
        rules.require_later_code(101, check_in_step=100)
        rules.require_later_code(100, check_in_step=None)
        for step in (100, 99):
            with pytest.raises(rules.CodeReused):
                rules.require_later_code(step, check_in_step=100)

    @pytest.mark.parametrize(("step", "recorded"), [(None, 100), (99, 100), (100, None), (None, None)])
    def test_only_the_very_scan_may_come_again(self, step: int | None, recorded: int | None) -> None:
        """As from a slow phone; anything else is a second arrival."""
        rules.require_same_scan(100, recorded=100, refusal=rules.AlreadyCheckedIn)
        with pytest.raises(rules.AlreadyCheckedIn):
            rules.require_same_scan(step, recorded=recorded, refusal=rules.AlreadyCheckedIn)
