"""Who may do what: the roles of a programme and the permissions that routes declare (DESIGN.md section 5)."""

from collections.abc import Collection, Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a caller is in one programme: a person, who may be several, or `service`, which is nobody."""

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
    SERVICE = "service"  # Another service of ours, for itself; it has only what names this role.


PEOPLE = frozenset(Role) - {Role.SERVICE}


class Reach(StrEnum):
    """Which rows somebody sees and touches; the queries have it in their SQL."""

    PERSON = "person"  # What is the caller's own.
    PARTNER = "partner"  # What is their partner's.
    PROGRAMME = "programme"  # What is in the programme.


Permission = Mapping[Role, Reach]


def _all(*roles: Role) -> dict[Role, Reach]:
    return dict.fromkeys(roles, Reach.PROGRAMME)


_STAFF = _all(Role.OPERATOR, Role.REVIEWER)
# Who sees names and employee numbers as they are, where a list shows people; to everybody else they are masked.
SEE_PEOPLE = frozenset(_STAFF)
# Who reads single answers by their task, so that a total of one or two tells them nothing more.
SEE_SINGLE_ANSWERS = frozenset(_STAFF) | {Role.AUDITOR}
_BOOKS = _all(Role.FINANCE, Role.FINANCE_APPROVER, Role.AUDITOR)
_OWN = {Role.PARTNER: Reach.PARTNER}
_SELF = {Role.VOLUNTEER: Reach.PERSON}

PERMISSIONS: dict[str, Permission] = {
    "partners.record": _all(Role.OPERATOR),
    "rounds.plan": _all(Role.OPERATOR),
    "rounds.read": _STAFF | _all(Role.PARTNER, Role.AUDITOR),
    "volunteers.register": _all(Role.OPERATOR),
    "volunteers.read": _STAFF | _all(Role.AUDITOR),
    "volunteers.look_up": _STAFF,
    "skills.read": _STAFF | _all(Role.PARTNER, Role.VOLUNTEER, Role.AUDITOR),
    "skills.keep": _all(Role.OPERATOR),
    "profiles.own": _SELF,
    "profiles.read": _STAFF,
    "profiles.edit": _all(Role.OPERATOR),
    "eligibility.read": _STAFF,
    "eligibility.record": _all(Role.OPERATOR),
    "merges.propose": _all(Role.OPERATOR),
    "merges.read": _STAFF,
    "merges.decide": _STAFF,
    "reliability.own": _SELF,
    "reliability.read": _all(Role.OPERATOR),
    "reliability.decide": _all(Role.OPERATOR),
    "names.look_up": _STAFF | _all(Role.SERVICE),
    "consents.read_texts": _STAFF | _all(Role.PARTNER, Role.VOLUNTEER, Role.AUDITOR),
    "consents.give": _SELF,
    "consents.record": _all(Role.OPERATOR),
    "rosters.read": _STAFF | _OWN,
    "boards.watch": _STAFF | _OWN,
    "personal_data.own": _SELF,
    "personal_data.export": _all(Role.OPERATOR, Role.ADMIN),
    "personal_data.erase": _all(Role.OPERATOR, Role.ADMIN),
    "proposals.write": _all(Role.OPERATOR) | _OWN,
    "proposals.read": _STAFF | _all(Role.AUDITOR) | _OWN,
    "proposals.review": _all(Role.REVIEWER),
    "proposals.release": _STAFF,
    "proposals.discuss": _STAFF | _OWN,
    "proposals.oversee": _STAFF | _all(Role.AUDITOR),
    "proposals.import": _all(Role.OPERATOR),
    "listings.publish": _all(Role.OPERATOR) | _OWN,
    "listings.read": _STAFF | _all(Role.VOLUNTEER) | _OWN,
    "recommendations.own": _SELF,
    "listings.end": _all(Role.OPERATOR) | _OWN,
    "shifts.cancel": _all(Role.OPERATOR) | _OWN,
    "shifts.decide": _all(Role.OPERATOR) | _OWN,
    "shifts.reschedule": _all(Role.OPERATOR) | _OWN,
    "shifts.show_code": _OWN,
    "sign_ups.make": _SELF,
    "sign_ups.read_own": _SELF,
    "sign_ups.oversee": _STAFF | _OWN,
    "sign_ups.excuse": _all(Role.OPERATOR) | _OWN,
    "attendance.check_in": _SELF,
    "attendance.read": _SELF,
    "attendance.oversee": _STAFF | _OWN,
    "attendance.correct": _STAFF,
    "incidents.open": _STAFF,
    "incidents.read": _STAFF | _OWN | _SELF,
    "incidents.handle": _STAFF,
    "places.judge": _all(Role.REVIEWER) | _OWN,
    "attendance.attest": _OWN,
    "walk_ins.record": _OWN,
    "walk_ins.read": _STAFF | _OWN | _SELF,
    "walk_ins.answer": _SELF,
    "guests.count": _OWN,
    "incidents.report": _OWN | _SELF,
    "claims.make": _SELF,
    "claims.make_for_others": _OWN,
    "claims.answer": _OWN | _SELF,
    "claims.read": _STAFF | _OWN | _SELF,
    "claims.decide": _all(Role.REVIEWER),
    "claims.count": _STAFF | _all(Role.AUDITOR) | _OWN,
    "deliverables.submit": _SELF,
    "deliverables.read": _STAFF | _OWN | _SELF,
    "deliverables.judge": _OWN,
    "kits.handle": _OWN,
    "kits.receive": _SELF,
    "kits.read": _STAFF | _OWN | _SELF,
    "kits.read_address": _all(Role.OPERATOR) | _OWN | _SELF,
    "kits.lose": _all(Role.OPERATOR) | _OWN,
    "kits.clear": _all(Role.OPERATOR),
    "kits.claim_costs": _OWN,
    "kits.read_costs": _STAFF | _BOOKS | _OWN,
    "kits.approve_costs": _all(Role.OPERATOR),
    "attendance.import": _all(Role.OPERATOR),
    "shifts.import": _all(Role.OPERATOR),
    "volunteers.import": _all(Role.OPERATOR),
    "imports.follow": _all(Role.OPERATOR),  # Whoever may import something: tests compare.
    "manifests.read": _all(Role.OPERATOR) | _BOOKS,
    "activities.summarise": _STAFF | _BOOKS | _all(Role.FUNDER),
    "feedback_forms.read": _STAFF | _all(Role.PARTNER, Role.VOLUNTEER, Role.AUDITOR),
    "feedback_forms.publish": _all(Role.OPERATOR),
    "feedback.give": _SELF,
    "feedback.host": _OWN,
    "feedback.read": _STAFF | _all(Role.AUDITOR) | _OWN,
    "feedback.oversee": _STAFF | _all(Role.AUDITOR),
    "feedback.sum": _STAFF | _all(Role.AUDITOR, Role.FUNDER, Role.VOLUNTEER) | _OWN,
    "remarks.read": _all(Role.OPERATOR) | _SELF,
    "service_records.own": _SELF,
    "service_records.read": _STAFF | _all(Role.AUDITOR),
    "certificate_issuers.record": _all(Role.OPERATOR),
    "certificates.request": _SELF,
    "certificates.issue": _all(Role.OPERATOR),
    "certificates.list": _STAFF | _all(Role.AUDITOR) | _SELF,
    "certificates.read": _STAFF | _SELF,
    "certificates.revoke": _all(Role.OPERATOR),
    "calendar_feeds.own": _SELF,
    "calendar_feeds.host": _OWN,
    "calendar_feeds.oversee": _all(Role.OPERATOR),
    "calendar_feeds.keep": _all(Role.OPERATOR) | _OWN | _SELF,
    "audit.read": _all(Role.AUDITOR, Role.ADMIN),
    "events.operate": _all(Role.OPS, Role.ADMIN),
    "policies.propose": _all(Role.FINANCE),
    "policies.approve": _all(Role.FINANCE_APPROVER),
    "policies.read": _BOOKS | _STAFF | _all(Role.FUNDER),
    "donations.read": _BOOKS | _all(Role.OPERATOR) | _OWN,
    "donations.read_own": _SELF,
    "balances.read": _BOOKS | _OWN,
    "waterfall.read": _BOOKS | _all(Role.OPERATOR, Role.FUNDER) | _OWN,
}


def reach_of(permission: str, roles: Collection[Role]) -> Reach | None:
    """Return how far a permission reaches for these roles, by the widest of them; None if it is none of theirs.

    Raises KeyError for a permission that is not declared.
    """
    declared = PERMISSIONS[permission]
    reaches = [declared[role] for role in roles if role in declared]
    return max(reaches, key=list(Reach).index, default=None)
