"""Factories of what the partners service tells: the smallest valid fact, with what a test is about put in."""

from datetime import date
from typing import Any

from shared.events.partners import PartnerExited, PartnerPaused, PartnerSigned, PartnerStandingChanged, Standing
from shared.ids import new_id
from tests.factories.activities import NINE, PROGRAMME, named


def make_signed(**overrides: Any) -> PartnerSigned:
    """Make an agreement for the year 2022, signed, of ten activities a month."""
    values = {
        "programme_id": PROGRAMME,
        "partner_id": new_id(),
        "version": 1,
        "reference": named("P"),
        "title": "绿叶",
        "since": date(2022, 1, 1),
        "valid_from": date(2022, 1, 1),
        "valid_until": date(2023, 1, 1),
        "monthly_commitment": 10,
        "carried_over": False,
    }
    return PartnerSigned(**values | overrides)


def make_standing_changed(**overrides: Any) -> PartnerStandingChanged:
    """Make a suspension."""
    values = {
        "programme_id": PROGRAMME,
        "partner_id": new_id(),
        "version": 1,
        "standing": Standing.SUSPENDED,
        "weekly_quota": None,
        "cause": "shifts_not_held",
        "effective_at": NINE,
    }
    return PartnerStandingChanged(**values | overrides)


def make_exited(**overrides: Any) -> PartnerExited:
    values = {
        "programme_id": PROGRAMME,
        "partner_id": new_id(),
        "version": 2,
        "cause": "own_wish",
        "effective_at": NINE,
    }
    return PartnerExited(**values | overrides)


def make_paused(**overrides: Any) -> PartnerPaused:
    """Make a pause over the whole of June."""
    values = {
        "programme_id": PROGRAMME,
        "partner_id": new_id(),
        "version": 1,
        "paused_from": date(2022, 6, 1),
        "paused_until": date(2022, 7, 1),
    }
    return PartnerPaused(**values | overrides)
