"""Who may do what: the roles of a programme and the permissions that routes declare (DESIGN.md section 5)."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is in one programme; a person may be several."""

    VOLUNTEER = "volunteer"
    PARTNER = "partner"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    FINANCE = "finance"
    FINANCE_APPROVER = "finance_approver"
    FUNDER = "funder"
    AUDITOR = "auditor"
    OPS = "ops"
    ADMIN = "admin"


_STAFF = frozenset({Role.OPERATOR, Role.REVIEWER})
_BOOKS = frozenset({Role.FINANCE, Role.FINANCE_APPROVER, Role.AUDITOR})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "partners.record": frozenset({Role.OPERATOR}),
    "volunteers.register": frozenset({Role.OPERATOR}),
    "volunteers.read": _STAFF,
    "listings.publish": frozenset({Role.OPERATOR, Role.PARTNER}),
    "listings.read": _STAFF | {Role.PARTNER, Role.VOLUNTEER},
    "shifts.cancel": frozenset({Role.OPERATOR, Role.PARTNER}),
    "shifts.show_code": frozenset({Role.PARTNER}),
    "sign_ups.make": frozenset({Role.VOLUNTEER}),
    "attendance.check_in": frozenset({Role.VOLUNTEER}),
    "attendance.read": frozenset({Role.VOLUNTEER}),
    "attendance.oversee": _STAFF | {Role.PARTNER},
    "attendance.correct": _STAFF,
    "attendance.import": frozenset({Role.OPERATOR}),
    "activities.summarise": _STAFF | _BOOKS | {Role.FUNDER},
    "audit.read": frozenset({Role.AUDITOR, Role.ADMIN}),
    "events.operate": frozenset({Role.OPS, Role.ADMIN}),
    "policies.propose": frozenset({Role.FINANCE}),
    "policies.approve": frozenset({Role.FINANCE_APPROVER}),
    "policies.read": _BOOKS | _STAFF | {Role.FUNDER},
    "donations.read": _BOOKS | {Role.OPERATOR, Role.PARTNER},
    "balances.read": _BOOKS | {Role.PARTNER},
    "waterfall.read": _BOOKS | {Role.OPERATOR, Role.FUNDER, Role.PARTNER},
}


def is_permitted(permission: str, roles: frozenset[Role]) -> bool:
    """Say whether any of these roles has the permission. Raises KeyError for a permission that is not declared."""
    return not roles.isdisjoint(PERMISSIONS[permission])
