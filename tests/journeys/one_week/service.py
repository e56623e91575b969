"""From sign-ups to settled minutes: a line for five places, scans, three who were missed, and what became of them."""

from datetime import datetime, timedelta
from typing import Any

from tests.journeys.one_week.company import MINUTE, PATH, Company, moment
from tests.journeys.one_week.planning import Published
from tests.journeys.people import Shift, Volunteer

HOUR = timedelta(hours=1)


def sign_up(company: Company, week: Published) -> list[tuple[str, int | None]]:
    """Have seven ask for five places, one of them give theirs back, and the first in the line take it.

    Return how each stands in the end, with their place in the line.
    """
    asking = company.volunteers[:7]
    for volunteer in asking:
        volunteer.sign_up(week.on_site)
    for volunteer, shift in zip(company.volunteers[6:9], (week.online, week.craft, week.craft), strict=True):
        volunteer.sign_up(shift)
    place = _own(asking[4], week.on_site)
    asking[4].post(f"{PATH}/sign-ups/{place['id']}/withdraw", {"because": "临时有事"})
    offered = _own(asking[5], week.on_site)
    assert offered["state"] == "offered"
    asking[5].post(f"{PATH}/sign-ups/{offered['id']}/accept")
    return [(each["state"], each["position"]) for each in (_own(volunteer, week.on_site) for volunteer in asking)]


def serve(company: Company, shift: Shift, people: tuple[Volunteer, ...]) -> None:
    """Have people scan the code that the partner shows, in at the start and out at the end."""
    for at, way in ((shift.starts_at, "check-ins"), (shift.ends_at, "check-outs")):
        company.go_on(at)
        code = company.partner.shown_code(shift)
        for volunteer in people:
            volunteer.post(f"{PATH}/shifts/{shift.id}/{way}", {"code": code})


def find_missed(company: Company, shift: Shift) -> list[str]:
    """Let an hour pass after a shift; return who stands how on its roster."""
    company.go_on(shift.ends_at + HOUR + MINUTE, "close_shifts")
    roster = company.partner.get(f"{PATH}/shifts/{shift.id}/roster")["items"]
    return sorted(each["state"] for each in roster)


def recover(company: Company, shift: Shift, claiming: Volunteer, claimed_for: Volunteer) -> list[str]:
    """Turn two keys for each of two: one claims and the partner confirms, and the other way round."""
    said = _said(shift)
    own = claiming.post(f"{PATH}/shifts/{shift.id}/claims", said)
    body = {"items": [said | {"volunteer_id": str(claimed_for.id)}]}
    (outcome,) = company.partner.post(f"{PATH}/shifts/{shift.id}/partner-claims", body)["items"]
    confirmed = (
        company.partner.post(f"{PATH}/claims/{own['id']}/confirm"),
        claimed_for.post(f"{PATH}/claims/{outcome['claim']['id']}/confirm"),
    )
    return [claim["state"] for claim in confirmed]


def claim_in_vain(shift: Shift, volunteer: Volunteer) -> tuple[str, datetime]:
    """Claim what nobody will answer; return the claim, and when it is over."""
    claim = volunteer.post(f"{PATH}/shifts/{shift.id}/claims", _said(shift))
    return claim["id"], datetime.fromisoformat(claim["decide_until"])


def let_expire(company: Company, claim_id: str, until: datetime) -> list[tuple[str, str | None]]:
    """Let the time for a claim pass; return how it stands when nobody has answered, and when it is over."""
    seen = []
    for at in (until - MINUTE, until):
        company.go_on(at, "pass_on_claims")
        claim = company.reviewer.get(f"{PATH}/claims/{claim_id}")
        seen.append((claim["state"], claim["review"]))
    return seen


def recovery(company: Company) -> dict[str, int]:
    """Return what was missed, and what became of it."""
    days = {"since": moment(0, 0).date(), "until": moment(7, 0).date()}
    (found,) = company.operator.get(f"{PATH}/claims/recovery", **days)["items"]
    return {name: count for name, count in found.items() if name != "partner_id" and count}


def _own(volunteer: Volunteer, shift: Shift) -> dict[str, Any]:
    items = volunteer.get(f"{PATH}/sign-ups/mine")["items"]
    return next(each for each in items if each["shift_id"] == shift.id)


def _said(shift: Shift) -> dict[str, str]:
    times = {"checked_in_at": shift.starts_at.isoformat(), "checked_out_at": shift.ends_at.isoformat()}
    return times | {"cause": "phone", "words": "手机没电"}
