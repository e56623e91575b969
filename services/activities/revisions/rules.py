"""Which settled services are decided again. Source: DOMAIN.md section 10, "volunteer left the company"."""


def is_outdated(
    *, service_minutes: int, matchable_minutes: int, is_eligible: bool, agreed_minutes: int | None = None
) -> bool:
    """Say whether a service is matched that may not be, or the other way round.

    What is matched in part for another reason stays: who is eligible has no more than what was decided, and of work
    that is handed in no more than was agreed for what was accepted.
    """
    most = service_minutes if agreed_minutes is None else min(service_minutes, agreed_minutes)
    return matchable_minutes > 0 if not is_eligible else most > 0 and matchable_minutes == 0
