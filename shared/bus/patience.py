"""How long to wait before something is tried again."""

import random

LEAST_SECONDS, LONGEST_SECONDS = 0.1, 10.0


def pause(failures: int, *, longest: float = LONGEST_SECONDS) -> float:
    """Return seconds until the next try: doubled with each failure up to a limit; jitter keeps replicas apart."""
    doubled: float = LEAST_SECONDS * 2 ** min(failures, 10)
    return min(doubled, longest) * random.uniform(0.5, 1)  # noqa: S311  Not a secret.
