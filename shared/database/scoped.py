"""Rows that belong to a programme, a partner and a volunteer, as somebody sees them."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from shared.auth.scopes import Scope

Ids = InstrumentedAttribute[UUID]


def within(scope: Scope, programme: Ids, partner: Ids, volunteer: Ids) -> ColumnElement[bool]:
    """Say of rows, by the columns that say whose they are, which lie within a scope."""
    limits = [programme == scope.programme_id]
    if scope.partner_id is not None:
        limits.append(partner == scope.partner_id)
    if scope.volunteer_id is not None:
        limits.append(volunteer == scope.volunteer_id)
    return and_(*limits)
