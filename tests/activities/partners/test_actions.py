from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from services.activities.partners import actions, queries
from shared.seen import Seen
from tests.factories.activities import PROGRAMME


class TestRecord:
    def test_what_changes_about_a_partner_is_noted(self, tx: Session) -> None:
        """The same partner, not another one."""
        facts: dict[str, Any] = {"programme_id": PROGRAMME, "reference": "P1"}
        before = actions.PartnerFacts("绿叶", "carried_over", date(2021, 7, 1))
        after = actions.PartnerFacts("绿叶公益", "signed", date(2022, 1, 1))
        first = actions.record_partner(tx, before, **facts, seen=Seen())
        first_id = first.id

        again = actions.record_partner(tx, after, **facts, seen=Seen.of(first))

        assert (again.id, again.name, again.agreement, again.since) == (
            first_id,
            "绿叶公益",
            "signed",
            date(2022, 1, 1),
        )
        assert queries.find_partners(tx, programme_id=PROGRAMME, references=["P1", "P2"]) == {"P1": again}
        assert queries.find_partner(tx, programme_id=uuid4(), partner_id=first_id) is None
