"""Names and employee numbers for readers who count people and need not know them. Who is who: `shared.roles`."""

from shared.roles import SEE_PEOPLE, Role

HIDDEN = "*"
_STARS = 3  # Always as many, so that not even the length is told.


def sees_people(roles: frozenset[Role]) -> bool:
    """Say whether one of these roles sees names and employee numbers as they are."""
    return not roles.isdisjoint(SEE_PEOPLE)


def mask(text: str, *, shown: int = 1) -> str:
    """Keep the first characters, one of a name, and hide how many follow; all of what is no longer than that."""
    kept = text[:shown] if len(text) > shown else ""
    return kept + HIDDEN * _STARS
