"""The sheet of proposals, as operators send it in for partners."""

from services.activities.proposal_imports import actions, queries, rules
from shared.imports.kinds import ImportKind

PROPOSALS = ImportKind(
    name="proposals",
    permission="proposals.import",
    row=rules.ProposalRow,
    columns=rules.columns,
    lock=queries.lock_partners,
    look_up=queries.proposal_facts,
    judge=rules.judge,
    bring=actions.bring,
    examples=rules.EXAMPLES,
)
