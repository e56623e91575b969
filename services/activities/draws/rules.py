"""A draw that anybody can repeat: HMAC-SHA256 of each entry under a seed whose hash was published before.

Source: DOMAIN.md section 4, "a seeded, auditable draw"; RFC 2104.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from services.activities.listings.rules import BadShift
from services.activities.sign_ups.rules import FIRST_COME_WITHIN
from shared.errors import Conflict, Title

SEED_BYTES: Final = 32


class AlreadySignedUp(Conflict):
    """Somebody has signed up, or a draw is declared: what people signed up under stays."""

    code = "already_signed_up"
    title = Title(zh="已有人报名或已设抽签，不能再更改", en="Somebody has signed up, or a draw is declared already")


def commitment_of(seed: str) -> str:
    """Return what is published of a seed before the draw: the SHA-256 of its bytes, both in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


def drawn(seed: str, entries: Iterable[UUID]) -> list[UUID]:
    """Put entries, by the ids of their sign-ups, into the order in which they are drawn.

    Whoever knows the seed and the ids gets the same order, whatever theirs was: by HMAC-SHA256(seed, id), the seed's
    bytes as key and the id's sixteen as message.
    """
    key = bytes.fromhex(seed)
    return sorted(entries, key=lambda entry: hmac.digest(key, entry.bytes, "sha256"))


def require_draw(draws_at: datetime, *, starts_at: datetime, now: datetime) -> None:
    """Refuse a draw that is past, or leaves those who are drawn no time to answer. Raises BadShift."""
    if not now < draws_at < starts_at - FIRST_COME_WITHIN:
        raise BadShift(field="draws_at", expected="a time to come, more than three hours before the start")


def require_nobody(*, has_sign_ups: bool) -> None:
    """Refuse to change how places are given under somebody's feet. Raises AlreadySignedUp."""
    if has_sign_ups:
        raise AlreadySignedUp
