"""Callers: whose rows somebody sees."""

from uuid import uuid4

import pytest

from shared.auth.callers import Caller, NoPartner, OtherPartner
from shared.roles import Role
from tests.shared.auth.signing import PARTNER, PERSON, PROGRAMME


def caller_with(*roles: Role, partner: bool = False) -> Caller:
    return Caller(PERSON, PROGRAMME, frozenset(roles), PARTNER if partner else None)


def test_a_partners_member_sees_the_partners_rows() -> None:
    """And acts on them alone."""
    caller = caller_with(Role.PARTNER, partner=True)
    assert caller.partner_scope == PARTNER
    caller.require_partner(PARTNER)
    with pytest.raises(OtherPartner):
        caller.require_partner(uuid4())


def test_staff_sees_the_whole_programme() -> None:
    """Also who is a partner's member besides, where staff may."""
    for caller in (caller_with(Role.OPERATOR), caller_with(Role.OPERATOR, Role.PARTNER, partner=True)):
        assert caller.partner_scope is None
        caller.require_partner(uuid4())


@pytest.mark.parametrize("besides", [Role.VOLUNTEER, Role.OPERATOR, Role.AUDITOR])
def test_what_somebody_is_besides_widens_nothing(besides: Role) -> None:
    """Where only partners may, an operator who is also a partner's member is that partner's member."""
    caller = caller_with(Role.PARTNER, besides, partner=True).acting(frozenset({Role.PARTNER, Role.FUNDER}))

    assert caller.roles == {Role.PARTNER}
    assert caller.partner_scope == PARTNER


def test_a_member_of_no_partner_sees_nothing() -> None:
    """A token that forgot the partner must not open what staff sees."""
    caller = caller_with(Role.PARTNER)
    with pytest.raises(NoPartner):
        _ = caller.partner_scope
    with pytest.raises(NoPartner):
        caller.require_partner(PARTNER)
