"""What HTTP callers send and see of reviews, and of how a round stands."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.checklists.schemas import Content, Finding, Words
from services.activities.proposals.rules import State
from services.activities.reviews import rules
from services.activities.reviews.rules import Decision, Mark, Reason
from shared.web.fields import Count, Items, Parts, Shown, Text, Whole

Note = Annotated[Text, Field(min_length=1, max_length=2_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Answer(_Body):
    """An answer to an item of the handbook's checklist; a no says why."""

    item: Text = Field(min_length=1, max_length=40)
    mark: Mark
    remark: Text = Field(default="", max_length=500)


class Answers(_Body):
    """The answers to one version of the checklist."""

    version: Whole = Field(ge=1, le=10_000)
    marks: list[Answer] = Field(max_length=50)

    def told(self) -> rules.Answers:
        """Return them as the rules have them."""
        return rules.Answers(
            self.version, tuple(rules.Marked(each.item, each.mark, each.remark) for each in self.marks)
        )


class Request(_Body):
    """What is to change in a field, as `shifts.0.capacity`."""

    field: Text = Field(min_length=1, max_length=60)
    note: Note


class ChangeRequest(_Body):
    """What is to change before a proposal may pass."""

    note: Text = Field(default="", max_length=2_000)
    requests: list[Request] = Field(min_length=1, max_length=50)
    answers: Answers | None = None

    def told(self) -> rules.Verdict:
        """Return it as the rules have it."""
        requests = tuple((each.field, each.note) for each in self.requests)
        answers = None if self.answers is None else self.answers.told()
        return rules.Verdict(Decision.CHANGES_REQUESTED, self.note, requests=requests, answers=answers)


class Approval(_Body):
    """That a proposal passes: each item of the checklist is answered, and none with no."""

    note: Text = Field(default="", max_length=2_000)
    answers: Answers

    def told(self) -> rules.Verdict:
        """Return it as the rules have it."""
        return rules.Verdict(Decision.APPROVED, self.note, answers=self.answers.told())


class Rejection(_Body):
    """Why a proposal is turned down: for counting, and in words for the partner."""

    reasons: list[Reason] = Field(min_length=1, max_length=len(Reason))
    note: Note
    answers: Answers | None = None

    def told(self) -> rules.Verdict:
        """Return it as the rules have it."""
        answers = None if self.answers is None else self.answers.told()
        return rules.Verdict(Decision.REJECTED, self.note, reasons=tuple(dict.fromkeys(self.reasons)), answers=answers)


class Decisions(_Body):
    """One approval, or rejection with its reasons, of many proposals, each of which is decided for itself."""

    proposal_ids: list[UUID] = Field(min_length=1, max_length=rules.MOST_DECIDED)
    decision: Literal["approved", "rejected"]
    reasons: list[Reason] = Field(default=[], max_length=len(Reason))
    note: Text = Field(default="", max_length=2_000)
    answers: Answers | None = None

    def told(self) -> rules.Verdict:
        """Return it as the rules have it."""
        answers = None if self.answers is None else self.answers.told()
        reasons = tuple(dict.fromkeys(self.reasons))
        return rules.Verdict(Decision(self.decision), self.note, reasons=reasons, answers=answers)


class Outcome(BaseModel):
    """What became of one of them: its state, or why it is not decided."""

    proposal_id: UUID
    state: State | None
    code: Shown | None
    title: Words | None


class Outcomes(BaseModel):
    """What became of each, in the order asked."""

    items: Items[Outcome]


class NewComment(_Body):
    """What somebody says about a proposal."""

    body: Note


class Comment(BaseModel):
    """What one side has said; `submission` is the version that there was then."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    submission: Count
    side: Literal["partner", "operator"]
    body: Shown
    written_by: UUID
    written_at: AwareDatetime


class Comments(BaseModel):
    """The thread about a proposal, oldest first."""

    items: Items[Comment]


class Difference(BaseModel):
    """What a field held in the version before, and holds now; null where there was, or is, nothing."""

    field: Shown
    before: Shown | Count | None = Field(serialization_alias="from")
    after: Shown | Count | None = Field(serialization_alias="to")


class Past(BaseModel):
    """A decision about a version, as it was made."""

    id: UUID
    decision: Decision
    reasons: Items[Reason]
    note: Shown
    requests: Items[Request]
    answers: Answers | None
    decided_by: UUID
    decided_at: AwareDatetime
    review_minutes: Count


class Version(BaseModel):
    """A version that was submitted, what changed since the one before, and what was decided about it."""

    number: Count
    submitted_by: UUID
    is_on_behalf: bool
    submitted_at: AwareDatetime
    content: Content
    findings: Parts[Finding]
    differences: Parts[Difference]
    decision: Past | None


class History(BaseModel):
    """Every version of a proposal, oldest first."""

    items: Items[Version]


class HandbookItem(BaseModel):
    """What a reviewer looks at."""

    item: Shown
    says: Words
    may_not_apply: bool


class Handbook(BaseModel):
    """The reviewers' checklist in its current version."""

    version: Count
    items: Items[HandbookItem]


class Tally(BaseModel):
    """How proposals of a round stand; approved ones are published or about to be. The pass rate is in thousandths."""

    model_config = ConfigDict(from_attributes=True)

    proposals: Count
    submitted: Count
    in_review: Count
    changes_requested: Count
    approved: Count
    rejected: Count
    withdrawn: Count
    expired: Count
    published: Count
    pass_permille: Count | None
    oldest_waiting_at: AwareDatetime | None


class BoardSum(BaseModel):
    """How the rounds that opened from `since` to before `until` stand together."""

    since: AwareDatetime
    until: AwareDatetime
    rounds: Count = Field(description="Those that have opened, cancelled ones left out.")
    target: Count
    gap: Count = Field(description="What is missing of their targets, by what is approved.")
    whole: Tally


class PartnerTally(Tally):
    """How one partner's stand."""

    partner_id: UUID


class Board(BaseModel):
    """How a round stands, as a whole and by partner; minutes are from a submission to its decision."""

    round_id: UUID
    number: Count
    target: Count
    gap: Count = Field(description="What is missing of the target, by what is approved.")
    whole: Tally
    decisions: Count
    median_review_minutes: Count | None
    ninth_decile_review_minutes: Count | None
    partners: Parts[PartnerTally]
