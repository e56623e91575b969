import pytest

from services.activities.revisions import rules


@pytest.mark.parametrize(
    ("service", "matchable", "eligible", "outdated"),
    [
        (120, 120, True, False), (120, 0, True, True), (120, 60, True, False), (0, 0, True, False),
        (120, 120, False, True), (120, 60, False, True), (120, 0, False, False), (0, 0, False, False),
    ],
)  # fmt: skip
def test_what_is_matched_has_to_be_of_who_is_eligible(
    service: int, matchable: int, *, eligible: bool, outdated: bool
) -> None:
    """And the other way round; what is matched in part was decided for another reason."""
    found = rules.is_outdated(service_minutes=service, matchable_minutes=matchable, is_eligible=eligible)
    assert found is outdated


@pytest.mark.parametrize(
    ("matchable", "agreed", "eligible", "outdated"),
    [(0, 0, True, False), (0, 60, True, True), (60, 60, True, False), (60, 60, False, True), (0, 60, False, False)],
)
def test_what_was_not_agreed_is_matched_to_nobody(
    matchable: int, agreed: int, *, eligible: bool, outdated: bool
) -> None:
    """Work that is not accepted yet is no case of eligibility."""
    found = rules.is_outdated(
        service_minutes=120, matchable_minutes=matchable, is_eligible=eligible, agreed_minutes=agreed
    )
    assert found is outdated
