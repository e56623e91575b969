"""What can be done with what is known of partners."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.activities.partners import queries, rules
from services.activities.partners.tables import Partner, PartnerPause, PartnerStanding
from services.activities.volunteers.tables import Base
from shared.audit import Change, note
from shared.errors import NotFound
from shared.events.partners import PartnerPaused, PartnerSigned, PartnerStandingChanged, PartnerStands, Standing
from shared.seen import Seen

_PARTNER = ("programme_id", "partner_id")


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """What is to be known of a partner."""

    name: str
    agreement: str
    since: date


def record_partner(tx: Session, facts: PartnerFacts, *, programme_id: UUID, reference: str, seen: Seen) -> Partner:
    """Note a partner that may publish, or, for who has seen what was noted before, what changed about it.

    Raises ReadFirst, ChangedSince, KeptByPartners.
    """
    partner = queries.lock_partner(tx, programme_id=programme_id, reference=reference)
    if partner is None:
        seen.require_none()
        partner = _new_partner(tx, facts, programme_id=programme_id, reference=reference)
        if partner is not None:
            return partner
        partner = queries.lock_partner(tx, programme_id=programme_id, reference=reference)  # Another was quicker.
        if partner is None:
            raise NotFound(reference=reference)
    seen.require(partner)
    rules.require_not_told(partner.agreement_version)
    partner.name, partner.agreement, partner.since = facts.name, facts.agreement, facts.since
    return partner


def _new_partner(tx: Session, facts: PartnerFacts, *, programme_id: UUID, reference: str) -> Partner | None:
    """Add a partner, unless there is one of this reference after all."""
    values = asdict(facts)
    rows = insert(Partner).values(programme_id=programme_id, reference=reference, **values)
    rows = rows.on_conflict_do_nothing(index_elements=["programme_id", "reference"])
    partner = tx.scalars(rows.returning(Partner)).one_or_none()
    if partner is not None:
        note(tx, "partner", [Change(partner.id, None, {"reference": reference} | values)], added=1)
    return partner


def keep_agreements(tx: Session, events: Sequence[PartnerSigned]) -> None:
    """Know partners with their agreements by the latest version of each; repeated and stale facts change nothing.

    Raises ImpossibleDates, PartnerContradicted.
    """
    told = rules.newest(events)
    known = queries.lock_told(tx, [event.partner_id for event in told])
    holders = queries.find_holders(tx, {event.reference for event in told})
    for event in told:
        rules.require_interval(event.valid_from, event.valid_until, partner_id=event.partner_id)
        partner = known.get(event.partner_id)
        rules.require_same(
            partner_id=event.partner_id, programme_id=event.programme_id,
            known_in=partner.programme_id if partner else None,
            holder_id=holders.get((event.programme_id, event.reference)),
        )  # fmt: skip
    _keep(tx, Partner, [_agreement(event) for event in told], key=("id",), version="agreement_version")


def keep_standings(tx: Session, events: Sequence[PartnerStands]) -> None:
    """Know where partners stand by the latest version of each, also of who is not known yet."""
    told = rules.newest(map(_stand, events))
    _keep(tx, PartnerStanding, [asdict(stand) for stand in told], key=_PARTNER, version="version")


def keep_pauses(tx: Session, events: Sequence[PartnerPaused]) -> None:
    """Know when partners rest by the latest version of each, also of who is not known yet. Raises ImpossibleDates."""
    told = rules.newest(events)
    for event in told:
        rules.require_interval(event.paused_from, event.paused_until, partner_id=event.partner_id)
    _keep(tx, PartnerPause, [event.model_dump() for event in told], key=_PARTNER, version="version")


def _keep(
    tx: Session, table: type[Base], rows: Sequence[Mapping[str, object]], *, key: Sequence[str], version: str
) -> None:
    """Put rows into a table; those that are there already are replaced by later versions alone, in the row's lock."""
    statement = insert(table).values(rows)
    new = statement.excluded
    values = {name: new[name] for name in rows[0] if name not in key}
    is_later = getattr(table, version) < new[version]
    tx.execute(statement.on_conflict_do_update(index_elements=key, set_=values, where=is_later))


def _agreement(event: PartnerSigned) -> dict[str, object]:
    return {
        "id": event.partner_id,
        "programme_id": event.programme_id,
        "reference": event.reference,
        "name": event.title,
        "agreement": "carried_over" if event.carried_over else "signed",
        "since": event.since,
        "agreement_from": event.valid_from,
        "agreement_until": event.valid_until,
        "monthly_commitment": event.monthly_commitment,
        "agreement_version": event.version,
    }


def _stand(event: PartnerStands) -> rules.Stand:
    """Read a fact; who has left stands at the ladder's end."""
    standing, quota = Standing.EXITED, None
    if isinstance(event, PartnerStandingChanged):
        standing, quota = event.standing, event.weekly_quota
    told = event.programme_id, event.partner_id, event.version
    return rules.Stand(*told, standing.value, quota, event.cause, event.effective_at)
