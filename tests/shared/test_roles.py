"""Who may do what."""

import pytest

from shared.roles import PERMISSIONS, Reach, Role, reach_of


def test_one_role_of_several_is_enough() -> None:
    """A volunteer who is also an operator is an operator."""
    assert reach_of("attendance.import", {Role.VOLUNTEER, Role.OPERATOR}) is Reach.PROGRAMME
    assert reach_of("attendance.import", {Role.VOLUNTEER, Role.PARTNER}) is None


def test_the_widest_of_several_roles_counts() -> None:
    """Of those that have the permission, and of no other."""
    assert reach_of("attendance.oversee", {Role.PARTNER}) is Reach.PARTNER
    assert reach_of("attendance.oversee", {Role.PARTNER, Role.REVIEWER}) is Reach.PROGRAMME
    assert reach_of("attendance.oversee", {Role.PARTNER, Role.AUDITOR}) is Reach.PARTNER


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_nobody_in_particular_may_do_nothing(permission: str) -> None:
    """A permission is always somebody's, and never everybody's."""
    assert reach_of(permission, ()) is None
    assert 0 < len(PERMISSIONS[permission]) < len(Role)


def test_a_permission_that_is_not_declared_is_an_error() -> None:
    """A slip of the pen in a route must not open it, nor close it silently."""
    with pytest.raises(KeyError):
        reach_of("attendance.importt", frozenset(Role))


@pytest.mark.parametrize("role", [Role.PARTNER, Role.VOLUNTEER])
def test_nobody_outside_the_team_reaches_the_whole_programme(role: Role) -> None:
    """But texts, forms and skills are for all, rounds for partners, what is published and rated for volunteers."""
    wide = {name for name, permission in PERMISSIONS.items() if permission.get(role) is Reach.PROGRAMME}

    own = {Role.PARTNER: {"rounds.read"}, Role.VOLUNTEER: {"listings.read", "feedback.sum"}}
    assert wide == {"consents.read_texts", "feedback_forms.read", "skills.read"} | own[role]


def test_whoever_may_import_something_may_follow_imports() -> None:
    """And nobody else; which kinds they see is decided in SQL."""
    kinds = [roles.keys() for permission, roles in PERMISSIONS.items() if permission.endswith(".import")]
    assert PERMISSIONS["imports.follow"].keys() == frozenset().union(*kinds)


def test_who_proposes_a_price_does_not_approve_it() -> None:
    """Two people stand behind what an hour is worth."""
    assert PERMISSIONS["policies.propose"].keys().isdisjoint(PERMISSIONS["policies.approve"])
