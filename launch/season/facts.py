"""What a synthetic season consists of: plain, frozen values, with instants in UTC. Nothing in them is a real person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Agreement = Literal["signed", "carried_over"]
Evidence = Literal["scanned", "attested", "claimed"]
Mode = Literal["on_site", "online", "craft"]
Fate = Literal["held", "off", "rejected"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How service minutes become charity hours, from an instant before the first shift on."""

    rate_fen_per_hour: int
    step_minutes: int
    min_minutes: int
    max_minutes: int
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Partner:
    """A synthetic nonprofit whose agreement is valid from `since`; `cohort` counts from 1, None when carried over."""

    reference: str
    name: str
    agreement: Agreement
    since: date
    cohort: int | None


@dataclass(frozen=True, slots=True)
class Volunteer:
    """A synthetic employee who came to at least one shift."""

    employee_number: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Shift:
    """One appointment of a listing; `number` counts from 1 within it."""

    number: int
    starts_at: datetime
    ends_at: datetime
    capacity: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A published activity of one partner with its shifts in order of time."""

    reference: str
    partner_reference: str
    title: str
    mode: Mode
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A week's call, open within [opens_at, closes_at); `number` counts from 1."""

    number: int
    opens_at: datetime
    closes_at: datetime
    review_by: datetime
    publish_at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a partner proposes in a round, a shift each, and what comes of it.

    What is `held` or `off` was approved. `reason` is a code: of the rejection, or of why an approved one was not held.
    """

    listing: Listing
    round: int
    minimum: int
    fate: Fate
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Attendance:
    """One person on one shift; without a check-out it never settles and is no participation."""

    listing_reference: str
    shift_number: int
    employee_number: str
    checked_in_at: datetime
    checked_out_at: datetime | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Portion:
    """Listings together with all attendances of their shifts."""

    listings: tuple[Listing, ...]
    attendances: tuple[Attendance, ...]


@dataclass(frozen=True, slots=True)
class SyntheticSeason:
    """A whole season: what is imported as `history` and what is played `live` on the local date `live_on`.

    `proposals` are all, in order of time; those that are held are the listings of both. What was missed on a shift that
    starts at `claims_from` or later can still be claimed on the live day.
    """

    policy: Policy
    rounds: tuple[Round, ...]
    proposals: tuple[Proposal, ...]
    partners: tuple[Partner, ...]
    volunteers: tuple[Volunteer, ...]
    history: Portion
    live: Portion
    live_on: date
    claims_from: datetime

    @property
    def whole(self) -> Portion:
        """History and live day together: the figures of the season file are the figures of this."""
        listings = self.history.listings + self.live.listings
        return Portion(listings, self.history.attendances + self.live.attendances)
