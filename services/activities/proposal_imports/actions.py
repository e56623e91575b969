"""How a sheet of proposals is brought in."""

from sqlalchemy.orm import Session

from services.activities.checklists.rules import check
from services.activities.proposal_imports.rules import Group, ProposalFacts, ProposalRow, groups
from services.activities.proposals.actions import By, NewSubmission, add_submitted
from shared.imports.judging import Case
from shared.imports.kinds import Accepted, Tell

Sheet = Accepted[ProposalRow, ProposalFacts]


def bring(tx: Session, case: Case, sheet: Sheet, tell: Tell) -> int:
    """Hand in what is new, on its partners' behalf; the caller holds the partners and the sheets' references."""
    new = [group for group in groups(sheet.rows) if group.first.proposal_reference not in sheet.facts.proposals]
    by = By(case.programme_id, case.by, None, case.now)
    if new:
        add_submitted(tx, by, [_submission(case, group, sheet.facts) for group in new])
    tell(len(sheet.rows))
    return 0


def _submission(case: Case, group: Group, facts: ProposalFacts) -> NewSubmission:
    partner, call = facts.partners[group.first.partner_reference], facts.rounds[group.first.round_number]
    content = group.content(case.timezone)
    findings = check(content, now=case.now, publish_at=call.publish_at)
    return NewSubmission(partner.id, call.id, group.first.proposal_reference, content, tuple(findings))
