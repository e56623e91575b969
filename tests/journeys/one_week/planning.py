"""From a round's call to what is published: four proposals, two by hand and two in a sheet, three of which pass."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from launch.season.sheets import PROPOSALS
from tests.journeys.one_week.company import MINUTE, PARTNER, PATH, Company, moment
from tests.journeys.people import Shift

OPENS, CLOSES, REVIEW_BY, PUBLISH = moment(0, 9), moment(2, 18), moment(3, 18), moment(4, 10)
TARGET = 4
CRAFT, REPEATED = "S-1", "S-2"  # References in the sheet.
ON_SITE = {
    "title": "社区净滩行动", "mode": "on_site", "city": "厦门", "place": "环岛路沙滩",
    "description": "和社区居民一起清理海滩上的塑料垃圾，分类称重并记录数据，帮助孩子们认识海洋保护。",
    "positions": [{"name": "清理员", "number": 5, "skills": ["分类"]}],
    "shifts": [{"starts_at": moment(6, 9).isoformat(), "ends_at": moment(6, 12).isoformat(),
                "capacity": 5, "minimum": 2}],
    "risks": "烈日和湿滑的礁石", "insurance": "主办方为每位志愿者购买意外险", "safeguards": "现场配备急救包和安全员",
    "briefing": "开始前十五分钟现场讲解",
}  # fmt: skip
ONLINE = {
    "title": "为视障者校对有声书", "mode": "online",
    "description": "逐章听读并校对有声书的文字稿，标出错读、漏读和杂音，每章交一份校对记录。",
    "positions": [{"name": "校对员", "number": 3}],
    "shifts": [{"starts_at": moment(5, 14).isoformat(), "ends_at": moment(5, 17).isoformat(), "capacity": 3}],
    "risks": "长时间用耳机", "insurance": "线上活动，无需另购保险", "safeguards": "每小时休息十分钟",
    "briefing": "开始前线上讲解", "deliverable": {"criteria": "无错读、无漏读", "minutes_per_piece": 30},
}  # fmt: skip
IN_A_SHEET = (
    "手工布艺书签", "在家用寄来的布料缝制书签，完成后寄回，由机构送给社区图书馆的小读者，附一张手写的祝福卡。", "手工",
    "", "", "缝制员:2", "缝纫", "2022-06-11 09:00", "2022-06-11 12:00", "2", "1", "剪刀和针",
    "无需保险", "附安全说明", "线上讲解", "", "", "布料和针线各一份", "3000",
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """The week's three activities, a shift each."""

    on_site: Shift
    online: Shift
    craft: Shift


def hold_round(company: Company) -> tuple[Published, dict[str, Any]]:
    """Call, propose, review and publish; return what is published, and how the round's board stands in the end."""
    times = {"opens_at": OPENS, "closes_at": CLOSES, "review_by": REVIEW_BY, "publish_at": PUBLISH}
    planned = {name: at.isoformat() for name, at in times.items()} | {"target": TARGET}
    call = company.operator.post(f"{PATH}/rounds", planned)
    company.go_on(OPENS + MINUTE, "turn_rounds")
    on_site, online = (_propose(company, call["id"], content) for content in (ON_SITE, ONLINE))
    company.operator.bring_in("proposals", _sheet(call["number"]))
    in_sheet = {each["external_reference"]: each["id"] for each in _proposals(company, call["id"])}
    company.go_on(CLOSES - 60 * MINUTE)
    _have_changed(company, on_site)
    company.go_on(CLOSES + MINUTE, "turn_rounds")
    _decide(company, [on_site, online, in_sheet[CRAFT]], repeated=in_sheet[REPEATED])
    company.go_on(PUBLISH + MINUTE, "turn_rounds", "publish_approved")
    published = (_published(company, each) for each in (on_site, online, in_sheet[CRAFT]))
    return Published(*published), company.operator.get(f"{PATH}/rounds/{call['id']}/board")


def _propose(company: Company, round_id: str, content: dict[str, Any]) -> str:
    """Draft a proposal, as far as it goes at first, then complete it and hand it in."""
    draft = {name: value for name, value in content.items() if name != "risks"}
    body = {"partner_id": str(company.partner.partner_id), "round_id": round_id, "content": draft}
    proposal = company.partner.post(f"{PATH}/proposals", body)
    assert [finding["code"] for finding in proposal["findings"] if finding["severity"] == "blocking"] == ["no_risks"]
    path = f"{PATH}/proposals/{proposal['id']}"
    company.partner.replace(path, content)
    assert company.partner.decide(path, "submissions", {})["state"] == "submitted"
    return str(proposal["id"])


def _have_changed(company: Company, proposal_id: str) -> None:
    """Send a proposal back for one field; the version that comes again differs in that alone."""
    path = f"{PATH}/proposals/{proposal_id}"
    company.reviewer.post(f"{path}/claim")
    request = {"note": "请补充潮汐", "requests": [{"field": "risks", "note": "写明潮汐时间"}]}
    company.reviewer.decide(path, "change-requests", request)
    company.partner.replace(path, ON_SITE | {"risks": "烈日、湿滑的礁石，十一点后涨潮"})
    company.partner.decide(path, "submissions", {})
    (_, second) = company.reviewer.get(f"{path}/history")["items"]
    assert [change["field"] for change in second["differences"]] == ["risks"]


def _decide(company: Company, good: list[str], *, repeated: str) -> None:
    """Approve what is good, many at once, and reject what the sheet says twice."""
    handbook = company.reviewer.get(f"{PATH}/review-handbook")
    answers = {
        "version": handbook["version"],
        "marks": [{"item": it["item"], "mark": "yes"} for it in handbook["items"]],
    }
    for verdict in (
        {"proposal_ids": good, "decision": "approved", "answers": answers},
        {"proposal_ids": [repeated], "decision": "rejected", "reasons": ["duplicate"], "note": "与同表另一方案重复"},
    ):
        outcomes = company.reviewer.post(f"{PATH}/proposal-decisions", verdict)["items"]
        assert {each["state"] for each in outcomes} == {verdict["decision"]}


def _proposals(company: Company, round_id: str) -> list[dict[str, Any]]:
    return list(company.operator.get(f"{PATH}/proposals", round_id=round_id)["items"])


def _published(company: Company, proposal_id: str) -> Shift:
    listing_id = company.partner.get(f"{PATH}/proposals/{proposal_id}")["listing_id"]
    return company.shift(company.partner.get(f"{PATH}/listings/{listing_id}"))


def _sheet(round_number: int) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(PROPOSALS)
    writer.writerows((reference, PARTNER, round_number, *IN_A_SHEET) for reference in (CRAFT, REPEATED))
    return text.getvalue().encode("utf-8-sig")
