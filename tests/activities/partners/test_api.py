import pytest
from sqlalchemy.orm import Session

from services.activities.partners.handlers import keep_agreements
from shared.bus.testing import deliver, message_of
from tests.activities.door import Door, refusal
from tests.factories.partners import make_signed

FACTS = {"name": "绿叶", "agreement": "signed", "since": "2022-01-01"}
CHANGED = FACTS | {"name": "绿叶公益", "agreement": "carried_over"}


class TestPartners:
    def test_a_partner_is_noted_and_changed(self, door: Door) -> None:
        """By its reference; again is the same partner."""
        first = door.call("PUT", "/partners/P1", json=FACTS)
        again = door.change("/partners/P1", on=first.headers["etag"], **CHANGED)

        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == door.get("/partners/P1").json()
        expected = {"id": first.json()["id"], "reference": "P1", "name": "绿叶公益", "agreement": "carried_over"}
        assert again.json() == expected | {"since": "2022-01-01"}

    @pytest.mark.parametrize(
        ("reference", "change"),
        [("P" * 41, {}), ("P1", {"agreement": "none"}), ("P1", {"since": "2022-13-40"}), ("P1", {"name": ""}),
         ("P1", {"name": "a\0"}), ("P%00", {})],
    )  # fmt: skip
    def test_what_cannot_be_a_partner_is_refused(self, door: Door, reference: str, change: dict[str, str]) -> None:
        """A date must be one, an agreement of a known kind."""
        assert refusal(door.call("PUT", f"/partners/{reference}", json=FACTS | change)) == (422, "invalid_input")

    def test_one_that_was_told_is_noted_no_more(self, door: Door) -> None:
        """Two who write the same facts would take turns; it can still be read."""

        def told(tx: Session) -> None:
            signed = make_signed(programme_id=door.programme_id, reference="P1", title="绿叶")
            deliver(tx, keep_agreements, message_of(signed))

        door.put_in(told)

        shown = door.get("/partners/P1")
        assert shown.json() == FACTS | {"id": shown.json()["id"], "reference": "P1"}
        answer = door.change("/partners/P1", on=shown.headers["etag"], **CHANGED)
        assert refusal(answer) == (409, "kept_by_partners")
        assert door.get("/partners/P1").json() == shown.json()
