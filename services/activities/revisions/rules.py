"""Which settled services are decided again. Source: DOMAIN.md section 10, "volunteer left the company"."""


def is_outdated(*, service_minutes: int, matchable_minutes: int, is_eligible: bool) -> bool:
    """Say whether a service is matched that may not be, or the other way round.

    What is matched in part for another reason stays: who is eligible has no more than what was decided.
    """
    return matchable_minutes > 0 if not is_eligible else service_minutes > 0 and matchable_minutes == 0
