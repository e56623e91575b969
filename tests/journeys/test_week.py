"""One activity week through everybody's doors, from the call to the certificate; each figure is checked."""

from collections import Counter
from pathlib import Path

from tests.journeys.one_week.afterwards import certify, tell_each_other
from tests.journeys.one_week.company import PATH, Company, come_together, moment
from tests.journeys.one_week.handed_in import APPROVED_FEN, hand_in, lose, send_kits
from tests.journeys.one_week.planning import Published, hold_round
from tests.journeys.one_week.service import (
    claim_in_vain,
    find_missed,
    let_expire,
    recover,
    recovery,
    serve,
    sign_up,
)  # fmt: skip
from tests.journeys.people import Town, until_idle

SETTLED = {"craft": 2 * 180, "on site, scanned": 2 * 180, "on site, claimed": 2 * 180, "online": 3 * 30}
FEN_PER_HALF_HOUR = 5_000
TOLD = {
    "round.opened": 1, "round.closed": 1, "proposal.submitted": 5, "proposal.changes_requested": 1,
    "proposal.approved": 3, "proposal.rejected": 1, "listing.published": 3,
    "sign_up.confirmed": 9, "sign_up.waitlisted": 2, "sign_up.offered": 1, "sign_up.withdrawn": 1,
    "shift.go": 1, "attendance.checked_in": 4, "shift.held": 3,
    "attendance.missed": 3, "attendance.claimed": 3, "attendance.claim_confirmed": 2, "attendance.claim_expired": 1,
    "attendance.settled": 7, "deliverable.submitted": 2, "deliverable.revision_requested": 1, "deliverable.accepted": 1,
    "kit.issued": 2, "kit.shipped": 2, "kit.received": 2, "kit.returned": 1, "kit.overdue": 1, "kit.lost": 1,
    "kit.cost_claimed": 1, "kit.cost_approved": 1, "feedback.received": 3,
}  # fmt: skip


def test_a_week_of_volunteers_and_activities(embedded: Town, tmp_path: Path) -> None:
    """Proposed, reviewed, served, claimed, handed in, answered, certified; the donations are the settled minutes."""
    company = come_together(embedded)
    week, board = hold_round(company)
    counts = {name: board["whole"][name] for name in ("submitted", "approved", "rejected", "published")}
    assert (counts, board["gap"]) == ({"submitted": 0, "approved": 3, "rejected": 1, "published": 3}, 1)
    assert board["whole"]["pass_permille"] == 750

    assert sign_up(company, week) == [
        *[("confirmed", None)] * 4, ("withdrawn", None), ("confirmed", None), ("waitlisted", 1),
    ]  # fmt: skip
    kept, lost = send_kits(company, week.craft, company.volunteers[7:9])
    serve(company, week.craft, company.volunteers[7:9])
    serve_and_recover(company, week, tmp_path)

    company.partner.post(f"{PATH}/kits/{kept}/return", {"pieces": 2, "note": "两枚书签"})
    company.go_on(moment(28, 9), "watch_kits")
    assert company.partner.get(f"{PATH}/kits/{kept}")["state"] == "returned"
    assert lose(company, lost) == ("lost", APPROVED_FEN)
    require_books(company)
    require_told(company)


def serve_and_recover(company: Company, week: Published, folder: Path) -> None:
    """Serve on Sunday; of five, two scan, two are recovered by two keys and one claim expires."""
    people = (*company.volunteers[:4], company.volunteers[5])
    serve(company, week.on_site, people[:2])
    assert Counter(find_missed(company, week.on_site)) == {"attended": 2, "missed": 3}
    assert recover(company, week.on_site, people[2], people[3]) == ["confirmed", "confirmed"]
    claim_id, until = claim_in_vain(week.on_site, people[4])
    work = hand_in(company, week.online, company.volunteers[6])
    assert (work["state"], work["revisions"], work["accepted_pieces"]) == ("accepted", 1, 3)
    assert tell_each_other(company, week.on_site, people[0]) == {
        "partner": [("volunteer", 5)], "operator": [("host", 4), ("volunteer", 5)], "volunteer": ["很细心"],
    }  # fmt: skip
    assert certify(company, people[0], folder) == ["valid", "invalid", "revoked"]
    assert let_expire(company, claim_id, until) == [("open", "unanswered"), ("expired", None)]
    assert recovery(company) == {"missed": 3, "recovered": 2, "expired": 1}


def require_books(company: Company) -> None:
    """The ledger has each settled minute once, at CNY 50 the half hour, and balances."""
    until_idle(company.ops)
    minutes = sum(SETTLED.values())
    days = {"since": moment(0, 0).date(), "until": moment(7, 0).date()}
    summary = company.operator.get(f"{PATH}/summary", **days)
    assert (summary["participations"], summary["service_minutes"], summary["matchable_minutes"]) == (
        7,
        minutes,
        minutes,
    )
    waterfall = company.partner.get("/api/ledger/waterfall")
    assert (waterfall["participations"], waterfall["credited_minutes"]) == (7, minutes)
    assert waterfall["accrued"]["fen"] == minutes // 30 * FEN_PER_HALF_HOUR
    donations = company.partner.get("/api/ledger/donations")["items"]
    assert sum(each["amount"]["fen"] for each in donations) == waterfall["accrued"]["fen"]
    assert company.auditor.get("/api/ledger/trial-balance")["balanced"]
    for service in ("activities", "ledger"):
        assert company.ops.get(f"/api/{service}/dead-letters")["items"] == []


def require_told(company: Company) -> None:
    """What reminders and messages to groups will follow has been told, as often as it happened."""
    told = company.town.told()
    assert {name: told[f"activities.{name}.v1"] for name in TOLD} == TOLD
