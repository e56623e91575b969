"""Dividing whole numbers: exact, in integers, and the same on every machine."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` by `weights` (not all zero) into whole parts that sum to it, each less than one off its share."""
    whole = sum(weights)
    edges = (total * reached // whole for reached in accumulate(weights, initial=0))
    return [after - before for before, after in pairwise(edges)]


def share_of(total: int, share: Decimal) -> int:
    """Take a share of `total`, rounded to the nearest whole number."""
    return round(total * Fraction(share))
