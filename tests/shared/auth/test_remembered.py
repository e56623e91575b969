"""Tokens are verified once, and remembered no longer than they are good."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared import clock
from shared.auth.callers import NotAuthenticated
from shared.auth.claims import LEEWAY_SECONDS
from shared.auth.keys import KeyStore
from shared.auth.remembered import RememberedTokens
from shared.auth.tokens import TokenVerifier
from tests.shared.auth.signing import AUDIENCE, ISSUER, PERSON, Key, jwks_of, make_key, make_token

OLD, NEW = make_key("old"), make_key("new")


class Issuer:
    """Publishes keys that a test changes."""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys
        self.store = KeyStore(lambda: jwks_of(*self.keys), least_seconds=0)
        self.store.refresh()
        self.verifier = TokenVerifier(self.store, issuer=ISSUER, audience=AUDIENCE)

    def publish(self, *keys: Key) -> None:
        self.keys = keys
        self.store.refresh()


def test_a_token_is_verified_once() -> None:
    """Until then it is nobody's."""
    verifier, token, now = Issuer(OLD).verifier, make_token(OLD), clock.now()
    assert verifier.recall(token, now=now) is None
    verifier.identify(token, now=now)

    recalled = verifier.recall(token, now=now)
    assert recalled is not None
    assert recalled.id == PERSON


@pytest.mark.parametrize("after", [timedelta(seconds=600 + LEEWAY_SECONDS + 1), timedelta(days=-1)])
def test_a_token_that_is_over_is_forgotten(after: timedelta) -> None:
    """And one that is not valid yet, should the clock be set back."""
    verifier, token, now = Issuer(OLD).verifier, make_token(OLD), clock.now()
    verifier.verify(token, now=now)

    assert verifier.recall(token, now=now + after) is None
    assert len(verifier.remembered) == 0
    with pytest.raises(NotAuthenticated):
        verifier.verify(token, now=now + after)


def test_a_refusal_is_not_remembered() -> None:
    """A token that is not valid yet will be."""
    verifier, now = Issuer(OLD).verifier, clock.now()
    token = make_token(OLD, nbf=int(now.timestamp()) + 3600, exp=2**33)
    with pytest.raises(NotAuthenticated):
        verifier.verify(token, now=now)

    assert len(verifier.remembered) == 0
    assert verifier.verify(token, now=now + timedelta(hours=2)).person_id == PERSON


def test_a_key_that_is_forgotten_takes_its_tokens_along() -> None:
    """A stolen key is withdrawn: what it has signed opens nothing from then on. The others' tokens stay."""
    issuer = Issuer(OLD, NEW)
    old, new, now = make_token(OLD), make_token(NEW), clock.now()
    for token in (old, new):
        issuer.verifier.verify(token, now=now)

    issuer.publish(NEW)
    assert issuer.verifier.recall(old, now=now) is None
    assert issuer.verifier.recall(new, now=now) is not None
    with pytest.raises(NotAuthenticated):
        issuer.verifier.verify(old, now=now)


def test_another_key_of_the_same_name_takes_the_tokens_along() -> None:
    """An issuer that began anew may call its first key as before."""
    issuer = Issuer(OLD)
    token, now = make_token(OLD), clock.now()
    issuer.verifier.verify(token, now=now)

    issuer.publish(make_key("old"))
    assert issuer.verifier.recall(token, now=now) is None


def test_reading_the_same_keys_again_forgets_nothing() -> None:
    """Which happens every ten minutes."""
    issuer = Issuer(OLD)
    token, now = make_token(OLD), clock.now()
    issuer.verifier.verify(token, now=now)

    issuer.publish(OLD)
    assert issuer.verifier.recall(token, now=now) is not None


def test_the_one_unused_for_longest_goes_first() -> None:
    """So that nobody fills the memory with tokens, however many there are."""
    issuer = Issuer(OLD)
    verifier, now = issuer.verifier, clock.now()
    verifier.remembered = RememberedTokens(issuer.store, most=2)
    first, second, third = (make_token(OLD, jti=str(number)) for number in range(3))
    verifier.verify(first, now=now)
    verifier.verify(second, now=now)
    verifier.recall(first, now=now)
    verifier.verify(third, now=now)

    assert [verifier.recall(token, now=now) is not None for token in (first, second, third)] == [True, False, True]


def test_no_token_is_kept() -> None:
    """A dump of the memory opens nothing: only digests are there."""
    verifier, token = Issuer(OLD).verifier, make_token(OLD)
    verifier.verify(token, now=clock.now())

    kept = repr(vars(verifier.remembered))
    assert str(PERSON) in kept
    assert token not in kept
    assert token.split(".")[2] not in kept


def test_many_threads_share_it() -> None:
    """Verifying, recalling and changing keys at once."""
    issuer, now, found = Issuer(OLD), clock.now(), list[bool]()
    tokens = [make_token(OLD, jti=str(number)) for number in range(20)]

    def work() -> None:
        for token in tokens * 5:
            found.append(issuer.verifier.verify(token, now=now).person_id == PERSON)
            issuer.publish(OLD)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 400
    assert len(issuer.verifier.remembered) == len(tokens)


def test_remembering_is_many_times_as_fast(record_property: Callable[[str, object], None]) -> None:
    """The promise of the yardstick: a request pays for a signature once."""
    verifier, token, now = Issuer(OLD).verifier, make_token(OLD), clock.now()
    verifying = _best(lambda: verifier.identify(token, now=now))
    recalling = _best(lambda: verifier.recall(token, now=now))

    micro, ratio = 1_000_000, verifying / recalling
    said = f"verify {verifying * micro:.0f} µs, recall {recalling * micro:.1f} µs: {ratio:.0f} times as fast"
    record_property("measured", said)
    assert ratio > 10


def _best(act: Callable[[], object], *, rounds: int = 5, times: int = 200) -> float:
    """Return the seconds of one call, in the quietest of some rounds."""
    measured = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(times):
            act()
        measured.append((time.perf_counter() - begun) / times)
    return min(measured)
