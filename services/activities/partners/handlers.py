"""Event door of partners: what the partners service tells is kept, as far as activities must know it."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.activities.partners import actions
from shared import bus
from shared.events.partners import PartnerExited, PartnerPaused, PartnerSigned, PartnerStandingChanged, PartnerStands


@bus.on(PartnerSigned, batch=100)
def keep_agreements(tx: Session, events: Sequence[PartnerSigned]) -> None:
    """Know each partner with its agreement, by the latest version of it."""
    actions.keep_agreements(tx, events)


@bus.on(PartnerStandingChanged, PartnerExited, batch=100)
def keep_standings(tx: Session, events: Sequence[PartnerStands]) -> None:
    """Know where each partner stands: from the commit on, who is suspended proposes nothing."""
    actions.keep_standings(tx, events)


@bus.on(PartnerPaused, batch=100)
def keep_pauses(tx: Session, events: Sequence[PartnerPaused]) -> None:
    """Know when each partner rests."""
    actions.keep_pauses(tx, events)
