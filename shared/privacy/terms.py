"""How it is said that something is kept, and for how long."""

from dataclasses import dataclass

from shared.errors import Title


@dataclass(frozen=True, slots=True)
class Term:
    """For how many days something is kept, and within which bounds that may be set."""

    days: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of thing that is kept; without a term for good, or as long as is `fixed` in the code that deletes it.

    `service` is None for what each service has.
    """

    name: str
    service: str | None
    what: Title
    why: Title
    term: Term | None = None
    fixed: Title | None = None
