"""How often a caller may call: the generic cell rate algorithm (ITU-T I.371), one number per caller.

Each process counts for itself, so a service of n web processes lets through up to n times as much. What must hold
across processes, such as wrong codes, is counted in rows.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Title, TooMany

WINDOW_SECONDS = 60
MOST_CALLERS = 100_000  # Remembered at once; whoever has been quiet the longest is forgotten first.


class TooManyRequests(TooMany):
    """A caller calls more often than anybody needs to; `retry_after` is in whole seconds."""

    code = "too_many_requests"
    title = Title(zh="请求过于频繁，请稍后再试", en="Too many requests: slow down")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left: so many requests now, and all of them again in so many seconds."""

    limit: int
    remaining: int
    reset_seconds: int


class RateLimiter:
    """Lets each caller through `limit` times a minute on average, and that many at once after a quiet minute.

    For use on one event loop: nothing is locked.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `limit` requests per caller and minute."""
        self.limit = limit
        self._clock = clock
        self._spacing = WINDOW_SECONDS / limit
        self._free_at: OrderedDict[str, float] = OrderedDict()  # When a caller will have everything back.

    def take(self, caller: str) -> Allowance:
        """Count one request of a caller. Raises TooManyRequests."""
        now = self._clock()
        owed = max(self._free_at.pop(caller, now) - now, 0.0)
        wait = owed + self._spacing - WINDOW_SECONDS
        is_over = wait > self._spacing / 2  # Half a request: rounding must not cost one.
        if not is_over:
            owed += self._spacing
        self._free_at[caller] = now + owed
        if len(self._free_at) > MOST_CALLERS:
            self._free_at.popitem(last=False)
        if is_over:
            raise TooManyRequests(limit=self.limit, retry_after=math.ceil(wait))
        remaining = int((WINDOW_SECONDS - owed) / self._spacing + 0.5)
        return Allowance(self.limit, remaining, math.ceil(owed))
