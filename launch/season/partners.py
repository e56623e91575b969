"""The partners of a synthetic season."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from launch.season.calls import last_call
from launch.season.facts import Agreement, Partner
from launch.season.form import Season

_SIGNING_DAYS = 21  # Agreements are signed within three weeks after the publicity period.
_CARRIED_DAYS = (60, 300)  # How long before the first round a carried-over agreement began.


def make_partners(rng: Random, season: Season) -> tuple[Partner, ...]:
    """Make the carried-over partners, then each cohort's signed ones, with agreements that begin when they may."""
    terms = [*_carried_over(rng, season), *_signed(rng, season)]
    return tuple(_partner(number, *term) for number, term in enumerate(terms, start=1))


def _carried_over(rng: Random, season: Season) -> Iterator[tuple[Agreement, date, None]]:
    """Date the agreements that were there before the first round."""
    for _ in range(season.assumed.carried_over_partners):
        yield "carried_over", season.assumed.first_round - timedelta(days=rng.randrange(*_CARRIED_DAYS)), None


def _signed(rng: Random, season: Season) -> Iterator[tuple[Agreement, date, int]]:
    """Date each cohort's agreements: after its publicity period, by the last call if it is over by then.

    Else not after the report counted them.
    """
    said, last = season.reported.cohorts, last_call(season)
    for cohort, (opened, signed) in enumerate(zip(season.assumed.cohort_opened, said.signed, strict=True), start=1):
        cleared = opened + timedelta(days=said.publicity_days)
        latest = last if cleared < last else season.reported.season.reporting_date
        for _ in range(signed):
            yield "signed", min(cleared + timedelta(days=1 + rng.randrange(_SIGNING_DAYS)), latest), cohort


def _partner(number: int, agreement: Agreement, since: date, cohort: int | None) -> Partner:
    """Name a partner so that nobody can take it for a real one."""
    name = f"合成伙伴 {number:03d} Synthetic Partner {number:03d}"
    return Partner(reference=f"P{number:03d}", name=name, agreement=agreement, since=since, cohort=cohort)
