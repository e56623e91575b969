import hashlib
import hmac
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.activities.draws import rules
from services.activities.listings.rules import BadShift
from tests.factories.activities import NINE

SEED = "00" * 31 + "01"
OTHER = "00" * 31 + "02"
ENTRIES = [UUID(int=number) for number in range(50)]
FIRST = [8, 1, 22]  # Of this seed, for good: what was drawn once is not drawn otherwise by a later release.
TICK = timedelta(microseconds=1)
BEFORE = NINE - timedelta(days=2)


def test_anybody_can_draw_again() -> None:
    """By RFC 2104 alone, in whatever order the entries are read; another seed gives another order."""

    def by_hand(entry: UUID) -> bytes:
        return hmac.new(bytes.fromhex(SEED), entry.bytes, hashlib.sha256).digest()

    order = rules.drawn(SEED, ENTRIES)

    assert order == rules.drawn(SEED, reversed(ENTRIES)) == sorted(ENTRIES, key=by_hand)
    assert order != rules.drawn(OTHER, ENTRIES)
    assert sorted(order) == ENTRIES
    assert order[:3] == [UUID(int=number) for number in FIRST]


def test_who_comes_first_has_no_advantage() -> None:
    """Over many seeds each of four is drawn first about as often."""
    firsts = [rules.drawn(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest(), ENTRIES[:4])[0] for n in range(800)]
    assert all(140 < firsts.count(entry) < 260 for entry in ENTRIES[:4])


def test_the_hash_of_a_seed_binds_to_it() -> None:
    """SHA-256 of its bytes, which a shell can compute too."""
    assert rules.commitment_of("00" * 32) == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    assert rules.commitment_of(SEED) != rules.commitment_of(OTHER)


@pytest.mark.parametrize(
    ("draws_at", "is_possible"),
    [
        (BEFORE, False), (BEFORE + TICK, True), (NINE - timedelta(hours=3) - TICK, True),
        (NINE - timedelta(hours=3), False), (NINE, False),
    ],
)  # fmt: skip
def test_whoever_is_drawn_has_time_to_answer(draws_at: datetime, *, is_possible: bool) -> None:
    """After now, and before a free place would be kept for nobody."""
    if is_possible:
        rules.require_draw(draws_at, starts_at=NINE, now=BEFORE)
    else:
        with pytest.raises(BadShift) as refused:
            rules.require_draw(draws_at, starts_at=NINE, now=BEFORE)
        assert refused.value.facts["field"] == "draws_at"


def test_nobody_signed_up_under_another_rule() -> None:
    """How places are given is known before."""
    rules.require_nobody(has_sign_ups=False)
    with pytest.raises(rules.AlreadySignedUp):
        rules.require_nobody(has_sign_ups=True)
