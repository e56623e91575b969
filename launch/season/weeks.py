"""Brings a season's weekly rounds in through the public doors: calls, sheets of proposals, reviews, publications."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID

from launch.season import sheets
from launch.season.access import Doors, parts
from launch.season.facts import Proposal, Round, SyntheticSeason
from services.activities.reviews.actions import AT_ONCE as MOST_PUBLISHED
from services.activities.reviews.rules import MOST_DECIDED
from shared import clock
from shared.roles import Role

PATH = "/api/activities"
SENT_AFTER = timedelta(days=1)  # After the call has opened.
REVIEWED_AFTER = timedelta(hours=2)  # After the call has closed.
PUBLISHED_AFTER = timedelta(minutes=1)  # As the timer does, which looks every minute.
CALLED_OFF_WITHIN = timedelta(hours=48)  # Of the start; else it is noted afterwards that a shift was not run.
WHY_OFF = {
    "too_few": "报名人数不足 / Too few signed up",
    "weather": "天气原因 / The weather",
    "venue": "场地不可用 / The venue was not to be had",
    "host_unable": "机构人员不足 / The host had nobody to run it",
    "force_majeure": "防疫要求 / Epidemic control",
}
WHY_REJECTED = {
    "duplicate": "与已有方案重复 / It is proposed already",
    "not_feasible": "时间、场地或人数不匹配 / Time, place or people do not fit",
    "incomplete": "未补充所需材料 / What was asked for did not come",
    "unsafe": "风险保障不足 / Safeguards will not do",
    "off_topic": "不符合项目方向 / It does not serve the programme's aims",
}


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a proposal that was approved: its listing's reference, and its shift."""

    reference: str
    shift_id: str
    partner_id: UUID


@dataclass
class Weeks:
    """The rounds of a season as they go by: what is published so far, and what is still to be called off."""

    doors: Doors
    season: SyntheticSeason
    published: dict[str, Published] = field(default_factory=dict)
    off: list[Proposal] = field(default_factory=list)

    def go_by(self) -> dict[str, Published]:
        """Hold every round, and return what was published, by the proposals' references. Raises Problem, NotIdle."""
        rounds = self._plan()
        of_round = {number: list(group) for number, group in groupby(_by_round(self.season), key=lambda it: it.round)}
        for each in self.season.rounds:
            if each.number in of_round:
                self._hold(each, rounds[each.number], of_round[each.number])
        return self.published

    def call_off(self, *, at_last: bool = False) -> None:
        """Say of shifts that do not happen that they will not, or did not; `at_last` of all that are left."""
        now, left, token = clock.now(), [], self.doors.token(Role.OPERATOR)
        for proposal in self.off:
            (shift,) = proposal.listing.shifts
            if shift.starts_at > now + CALLED_OFF_WITHIN and not at_last:
                left.append(proposal)
            else:
                self._say_off(proposal, is_over=shift.starts_at <= now, token=token)
        self.off = left

    def _plan(self) -> dict[int, dict[str, Any]]:
        """Plan the rounds, each with its share of the season's approved activities as its target."""
        token = self.doors.token(Role.OPERATOR)
        approved = sum(proposal.fate != "rejected" for proposal in self.season.proposals)
        target = -(-approved // len(self.season.rounds))
        return {
            each.number: self.doors.api.post(f"{PATH}/rounds", {**_times(each), "target": target}, token=token)
            for each in self.season.rounds
        }

    @cached_property
    def _answers(self) -> dict[str, Any]:
        """A yes to each item of the reviewers' checklist."""
        found = self.doors.api.get(f"{PATH}/review-handbook", token=self.doors.token(Role.REVIEWER))
        return {"version": found["version"], "marks": [{"item": it["item"], "mark": "yes"} for it in found["items"]]}

    def _hold(self, each: Round, planned: Mapping[str, Any], proposals: Sequence[Proposal]) -> None:
        """Let one round go by: partners hand in, a reviewer decides, the timers publish."""
        clock.travel(each.opens_at + SENT_AFTER)
        self.call_off()
        for some in parts(proposals, sheets.MOST_ROWS):
            content = sheets.proposals_csv(some, planned["number"], self.doors.zone)
            self.doors.send_in("proposals", "proposals.csv", content)
        clock.travel(each.closes_at + REVIEWED_AFTER)
        self.call_off()
        ids = self._decide(planned["id"], proposals)
        clock.travel(each.publish_at + PUBLISHED_AFTER)
        approved = [proposal for proposal in proposals if proposal.fate != "rejected"]
        for _ in parts(approved, MOST_PUBLISHED):
            self.doors.platform.fire("activities.turn_rounds", "activities.publish_approved")
        self._find(ids, since=each.publish_at)
        self.off += [proposal for proposal in approved if proposal.fate == "off"]

    def _decide(self, round_id: str, proposals: Iterable[Proposal]) -> dict[str, str]:
        """Decide about a round's proposals in bulk, alike about those that are alike; return references by id."""
        listed = self.doors.listed(f"{PATH}/proposals", Role.REVIEWER, round_id=round_id)
        ids = {each["external_reference"]: each["id"] for each in listed}
        alike: dict[str, list[str]] = {}
        for proposal in proposals:
            why = str(proposal.reason) if proposal.fate == "rejected" else ""
            alike.setdefault(why, []).append(ids[proposal.listing.reference])
        for why, group in alike.items():
            for some in parts(group, MOST_DECIDED):
                self._decide_alike(some, why)
        return {proposal_id: reference for reference, proposal_id in ids.items()}

    def _decide_alike(self, proposal_ids: Sequence[str], why: str) -> None:
        verdict: dict[str, object]
        if why:
            verdict = {"decision": "rejected", "reasons": [why], "note": WHY_REJECTED[why]}
        else:
            verdict = {"decision": "approved", "answers": self._answers}
        body = {"proposal_ids": proposal_ids, **verdict}
        self.doors.api.post(f"{PATH}/proposal-decisions", body, token=self.doors.token(Role.REVIEWER))

    def _find(self, references: Mapping[str, str], *, since: datetime) -> None:
        """Remember what was published since then."""
        for each in self.doors.listed(f"{PATH}/listings", Role.OPERATOR, published_from=since.isoformat()):
            (shift,) = each["shifts"]
            found = Published(each["reference"], shift["id"], UUID(each["partner_id"]))
            self.published[references[each["proposal_id"]]] = found

    def _say_off(self, proposal: Proposal, *, is_over: bool, token: str) -> None:
        found, why = self.published[proposal.listing.reference], str(proposal.reason)
        body = {"reason": WHY_OFF[why], **({"code": why} if is_over else {})}
        way = "not-run" if is_over else "no-go"
        self.doors.api.post(f"{PATH}/shifts/{found.shift_id}/{way}", body, token=token, if_match="*")


def _by_round(season: SyntheticSeason) -> list[Proposal]:
    return sorted(season.proposals, key=lambda proposal: (proposal.round, proposal.listing.reference))


def _times(each: Round) -> dict[str, str]:
    names = ("opens_at", "closes_at", "review_by", "publish_at")
    return {name: getattr(each, name).isoformat() for name in names}
