"""Who may do what."""

import pytest

from shared.roles import PERMISSIONS, Role, is_permitted


def test_one_role_of_several_is_enough() -> None:
    """A volunteer who is also an operator is an operator."""
    assert is_permitted("attendance.import", frozenset({Role.VOLUNTEER, Role.OPERATOR}))
    assert not is_permitted("attendance.import", frozenset({Role.VOLUNTEER, Role.PARTNER}))


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_nobody_in_particular_may_do_nothing(permission: str) -> None:
    """A permission is always somebody's, and never everybody's."""
    assert not is_permitted(permission, frozenset())
    assert PERMISSIONS[permission] < frozenset(Role)
    assert PERMISSIONS[permission]


def test_a_permission_that_is_not_declared_is_an_error() -> None:
    """A slip of the pen in a route must not open it, nor close it silently."""
    with pytest.raises(KeyError):
        is_permitted("attendance.importt", frozenset(Role))


def test_whoever_may_import_something_may_follow_imports() -> None:
    """And nobody else; which kinds they see is decided in SQL."""
    kinds = [roles for permission, roles in PERMISSIONS.items() if permission.endswith(".import")]
    assert PERMISSIONS["imports.follow"] == frozenset().union(*kinds)


def test_who_proposes_a_price_does_not_approve_it() -> None:
    """Two people stand behind what an hour is worth."""
    assert PERMISSIONS["policies.propose"].isdisjoint(PERMISSIONS["policies.approve"])
