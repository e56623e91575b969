"""The facts that rows of proposals are judged by, and their locks."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.partners.queries import find_footings, find_partners, lock_footings
from services.activities.proposal_imports.rules import (
    KnownPartner,
    KnownProposal,
    KnownRound,
    ProposalFacts,
    ProposalRow,
)
from services.activities.proposals.queries import (
    count_by_partner,
    deadlines_of,
    find_by_external,
    find_rounds,
    hold_rounds,
    lock_external,
)
from shared.imports.judging import Case


def proposal_facts(tx: Session, case: Case, rows: Sequence[ProposalRow]) -> ProposalFacts:
    """Look up everything that rows of proposals name."""
    programme_id = case.programme_id
    partners = _partners(tx, case, rows)
    footings = find_footings(tx, programme_id=programme_id, partner_ids=partners.values())
    rounds = find_rounds(tx, programme_id=programme_id, numbers={row.round_number for row in rows})
    known = find_by_external(tx, programme_id=programme_id, references={row.proposal_reference for row in rows})
    return ProposalFacts(
        partners={reference: KnownPartner(each, footings[each]) for reference, each in partners.items()},
        rounds={number: KnownRound(each.id, deadlines_of(each), each.publish_at) for number, each in rounds.items()},
        proposals={
            reference: KnownProposal(each.partner_id, each.round_id, each.content) for reference, each in known.items()
        },
        made=count_by_partner(tx, [each.id for each in rounds.values()]),
    )


def lock_partners(tx: Session, case: Case, rows: Sequence[ProposalRow]) -> None:
    """Let nobody else bring proposals in by sheets, hand any in for these partners, or move the rounds meanwhile."""
    lock_external(tx, programme_id=case.programme_id)
    lock_footings(tx, programme_id=case.programme_id, partner_ids=_partners(tx, case, rows).values())
    hold_rounds(tx, programme_id=case.programme_id, numbers={row.round_number for row in rows})


def _partners(tx: Session, case: Case, rows: Sequence[ProposalRow]) -> dict[str, UUID]:
    found = find_partners(tx, programme_id=case.programme_id, references={row.partner_reference for row in rows})
    return {reference: partner.id for reference, partner in found.items()}
