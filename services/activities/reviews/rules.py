"""How a proposal is judged by a person: the handbook's checklist, decisions, reasons. Source: DOMAIN.md section 4."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from services.activities.checklists.rules import Content
from shared.errors import Conflict, Invalid, NotAllowed, Title

MOST_DECIDED = 100  # In one call.
MOST_COMMENTS = 200  # On one proposal.
FIELDS: Final = frozenset(field.name for field in fields(Content))


class Decision(StrEnum):
    """What becomes of a version."""

    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a proposal is turned down, for counting; what is said to the partner stands beside it."""

    OFF_TOPIC = "off_topic"  # It does not serve the programme's aims.
    UNSAFE = "unsafe"  # Risks without safeguards that would do.
    DUPLICATE = "duplicate"  # It is proposed already.
    NOT_FEASIBLE = "not_feasible"  # Time, place or people do not fit.
    NOT_VOLUNTEERING = "not_volunteering"  # Promotion, fund-raising, or work that is somebody's job.
    INCOMPLETE = "incomplete"  # What was asked for did not come.
    OTHER = "other"


class Mark(StrEnum):
    """An answer to an item of the handbook's checklist."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "na"


class Item(NamedTuple):
    """What a reviewer looks at; some do not apply to every activity."""

    code: str
    says: Title
    may_not_apply: bool = False


class Handbook(NamedTuple):
    """One version of the reviewers' checklist. A change is a new version; decisions keep theirs."""

    version: int
    items: tuple[Item, ...]

    def item(self, code: str) -> Item | None:
        """Return the item of a code."""
        return next((item for item in self.items if item.code == code), None)


HANDBOOKS: Final = (
    Handbook(
        1,
        (
            Item("aim", Title("符合项目方向，受益对象明确", "It serves the programme's aims, and says whom")),
            Item("lawful", Title("合法合规，无商业推广和募款", "It is lawful, without promotion or fund-raising")),
            Item(
                "work", Title("岗位和人数与任务相符，适合员工志愿者", "Positions fit the work and employees can do it")
            ),
            Item("safety", Title("风险说明真实，保障措施到位", "Risks are stated truly and safeguards will do")),
            Item("insurance", Title("保险责任明确", "Who insures whom is clear"), may_not_apply=True),
            Item("time", Title("时长与任务量相符", "The minutes fit the work")),
            Item(
                "terms",
                Title("交付物或物料条款清楚可执行", "Terms of deliverables or kits can be kept"),
                may_not_apply=True,
            ),
            Item("text", Title("文案可直接公开，不含个人信息", "The text can be published and names nobody")),
        ),
    ),
)
HANDBOOK: Final = HANDBOOKS[-1]


class AlreadyClaimed(Conflict):
    """Another reviewer has it."""

    code = "already_claimed"
    title = Title(zh="该方案已由其他审核人领取", en="Another reviewer has taken it")


class NotYourReview(Conflict):
    """Only who has taken a proposal decides about it."""

    code = "not_your_review"
    title = Title(zh="请先领取该方案再审核", en="Take the proposal before you decide about it")


class OwnProposal(NotAllowed):
    """A member of the partner, or who handed it in, does not review a proposal."""

    code = "own_proposal"
    title = Title(zh="不能审核本机构或本人提交的方案", en="Nobody reviews their own proposal")


class HandbookOutdated(Conflict):
    """The answers are to another version of the checklist than the current one."""

    code = "handbook_outdated"
    title = Title(zh="审核清单已更新，请重新核对", en="The checklist has changed; go through it again")


class BadAnswers(Invalid):
    """Answers do not fit the checklist; `field` and `expected` say what is wrong, `missing` which items."""

    code = "bad_handbook_answers"
    title = Title(zh="审核清单填写有误", en="The checklist is not filled in properly")


class HandbookSaysNo(Conflict):
    """Something is approved of which the checklist says no; `items` name it."""

    code = "handbook_says_no"
    title = Title(zh="审核清单有不通过项，不能批准", en="The checklist says no to something; it cannot be approved")


class ReasonsNeeded(Invalid):
    """A rejection has no reasons, or no words for the partner; or something else than a rejection has reasons."""

    code = "rejection_reasons_needed"
    title = Title(zh="拒绝须写明原因代码和说明", en="A rejection, and only one, has reasons and a note")


class ShiftsOver(Conflict):
    """A shift would have begun before it could be published."""

    code = "shifts_over"
    title = Title(zh="有场次已来不及上架，请退回修改", en="A shift would begin before it is published; request changes")


class UnknownField(Invalid):
    """A change is requested of what is no field of a proposal."""

    code = "unknown_proposal_field"
    title = Title(zh="方案中没有此项", en="A proposal has no such field")


class TooManyComments(Conflict):
    """The thread is as long as one may be."""

    code = "too_many_comments"
    title = Title(zh="评论数量已达上限", en="There are too many comments")


@dataclass(frozen=True, slots=True)
class Marked:
    """One answer; a no says why."""

    item: str
    mark: Mark
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a reviewer answered to one version of the checklist."""

    version: int
    marks: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer decides, with what the partner is told: by field where changes are requested."""

    decision: Decision
    note: str = ""
    reasons: tuple[Reason, ...] = ()
    requests: tuple[tuple[str, str], ...] = ()  # Field, and what is to change there.
    answers: Answers | None = None


def require_verdict(verdict: Verdict) -> None:
    """Refuse a verdict that does not hold by itself.

    Raises ReasonsNeeded, UnknownField, HandbookOutdated, BadAnswers, HandbookSaysNo.
    """
    is_rejection = verdict.decision is Decision.REJECTED
    if is_rejection != bool(verdict.reasons) or (is_rejection and not verdict.note.strip()):
        raise ReasonsNeeded(field="reasons")
    for place, (field, _) in enumerate(verdict.requests):
        if field.partition(".")[0] not in FIELDS:
            raise UnknownField(field=f"requests.{place}.field")
    if verdict.answers is not None:
        require_answers(verdict.answers)
    if verdict.decision is Decision.APPROVED:
        require_all_well(verdict.answers)


def require_answers(answers: Answers) -> None:
    """Refuse answers to another checklist, twice to one item, or a bare no. Raises HandbookOutdated, BadAnswers."""
    if answers.version != HANDBOOK.version:
        raise HandbookOutdated(version=HANDBOOK.version)
    seen: set[str] = set()
    for place, each in enumerate(answers.marks):
        item, field = HANDBOOK.item(each.item), f"answers.marks.{place}"
        if item is None or each.item in seen:
            raise BadAnswers(field=f"{field}.item", expected="each item once")
        if each.mark is Mark.NOT_APPLICABLE and not item.may_not_apply:
            raise BadAnswers(field=f"{field}.mark", expected="yes or no")
        if each.mark is Mark.NO and not each.remark.strip():
            raise BadAnswers(field=f"{field}.remark", expected="a remark beside a no")
        seen.add(each.item)


def require_all_well(answers: Answers | None) -> None:
    """Refuse to approve unless every item is answered, and none with no. Raises BadAnswers, HandbookSaysNo."""
    marks = {each.item: each.mark for each in answers.marks} if answers else {}
    missing = [item.code for item in HANDBOOK.items if item.code not in marks]
    if missing:
        raise BadAnswers(field="answers.marks", missing=missing, expected="an answer to each item")
    against = [item for item, mark in marks.items() if mark is Mark.NO]
    if against:
        raise HandbookSaysNo(items=against)


def require_impartial(
    *, reviewer_id: UUID, reviewers_partner: UUID | None, partner_id: UUID, submitted_by: UUID | None
) -> None:
    """Refuse a reviewer who is of the partner, or handed the proposal in themself. Raises OwnProposal."""
    if reviewers_partner == partner_id or reviewer_id == submitted_by:
        raise OwnProposal


def require_unclaimed(person_id: UUID, *, reviewer_id: UUID | None) -> None:
    """Refuse to take what another reviewer has. Raises AlreadyClaimed."""
    if reviewer_id != person_id:
        raise AlreadyClaimed


def require_theirs(person_id: UUID, *, reviewer_id: UUID | None) -> None:
    """Refuse a decision by somebody else than who has taken the proposal. Raises NotYourReview."""
    if reviewer_id != person_id:
        raise NotYourReview


def require_room_for_comment(comments: int) -> None:
    """Refuse a comment too many. Raises TooManyComments."""
    if comments >= MOST_COMMENTS:
        raise TooManyComments(most=MOST_COMMENTS)


def require_shifts_ahead(starts: Iterable[datetime], *, publish_at: datetime, now: datetime) -> None:
    """Refuse to approve what nobody could sign up for any more. Raises ShiftsOver."""
    if any(each <= max(publish_at, now) for each in starts):
        raise ShiftsOver


def review_minutes(*, submitted_at: datetime, decided_at: datetime) -> int:
    """Count the whole minutes that a version waited for its decision."""
    return max(decided_at - submitted_at, timedelta(0)) // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tally:
    """How a round's proposals stand, of one partner or of all."""

    submitted: int = 0  # Waiting for a reviewer.
    in_review: int = 0
    changes_requested: int = 0
    approved: int = 0  # Published or about to be.
    rejected: int = 0
    withdrawn: int = 0
    expired: int = 0
    published: int = 0  # Of the approved.
    oldest_waiting_at: datetime | None = None

    @property
    def proposals(self) -> int:
        """Count what was ever submitted."""
        waiting = self.submitted + self.in_review + self.changes_requested
        return waiting + self.approved + self.rejected + self.withdrawn + self.expired

    @property
    def pass_permille(self) -> int | None:
        """Return the approved of the decided in thousandths, rounded half up; None before anything is decided."""
        decided = self.approved + self.rejected
        return (2_000 * self.approved + decided) // (2 * decided) if decided else None


def gap(tally: Tally, *, target: int) -> int:
    """Count what is missing of the round's target, by what is approved."""
    return max(target - tally.approved, 0)
