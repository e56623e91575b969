"""Callers: whose rows somebody sees."""

from uuid import uuid4

import pytest

from shared.auth.callers import Caller, NoPartner, OtherPartner, ReachesLess
from shared.auth.scopes import Scope
from shared.roles import Role
from tests.shared.auth.signing import PARTNER, PERSON, PROGRAMME


def overseeing(*roles: Role, partner: bool = False, permission: str = "attendance.oversee") -> Caller:
    """Make a caller who does what staff and partners may."""
    caller = Caller(PERSON, PROGRAMME, frozenset(roles), PARTNER if partner else None).acting(permission)
    assert caller is not None
    return caller


def test_a_partners_member_sees_the_partners_rows() -> None:
    """And acts on them alone."""
    caller = overseeing(Role.PARTNER, partner=True)
    assert caller.partner_scope == PARTNER
    caller.require_partner(PARTNER)
    with pytest.raises(OtherPartner):
        caller.require_partner(uuid4())


def test_staff_sees_the_whole_programme() -> None:
    """Also who is a partner's member besides, where staff may."""
    for caller in (overseeing(Role.OPERATOR), overseeing(Role.OPERATOR, Role.PARTNER, partner=True)):
        assert caller.partner_scope is None
        caller.require_partner(uuid4())


@pytest.mark.parametrize("besides", [Role.VOLUNTEER, Role.OPERATOR, Role.AUDITOR])
def test_what_somebody_is_besides_widens_nothing(besides: Role) -> None:
    """Where only partners may, an operator who is also a partner's member is that partner's member."""
    caller = overseeing(Role.PARTNER, besides, partner=True, permission="shifts.show_code")

    assert caller.roles == {Role.PARTNER}
    assert caller.partner_scope == PARTNER


def test_a_member_of_no_partner_sees_nothing() -> None:
    """A token that forgot the partner must not open what staff sees."""
    caller = overseeing(Role.PARTNER)
    with pytest.raises(NoPartner):
        _ = caller.partner_scope
    with pytest.raises(NoPartner):
        caller.require_partner(PARTNER)


def test_who_sees_their_own_has_no_partners_rows() -> None:
    """A route that mixes them up must fail rather than show everything."""
    with pytest.raises(ReachesLess):
        _ = overseeing(Role.VOLUNTEER, permission="attendance.read").partner_scope
    with pytest.raises(ReachesLess):
        _ = Caller(PERSON, PROGRAMME, frozenset({Role.ADMIN})).partner_scope


def test_who_has_no_permission_cannot_act() -> None:
    """Whatever else they are."""
    assert Caller(PERSON, PROGRAMME, frozenset({Role.AUDITOR})).acting("attendance.correct") is None


def test_a_scope_is_as_wide_as_the_permission() -> None:
    """A person's own rows, a partner's, or all; a member of no partner has none."""
    own = overseeing(Role.VOLUNTEER, partner=True, permission="attendance.read")

    assert own.scope == Scope(PROGRAMME, volunteer_id=PERSON)
    assert overseeing(Role.PARTNER, partner=True).scope == Scope(PROGRAMME, partner_id=PARTNER)
    assert overseeing(Role.OPERATOR).scope == Scope(PROGRAMME)
    with pytest.raises(NoPartner):
        _ = overseeing(Role.PARTNER).scope
