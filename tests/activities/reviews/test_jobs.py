from uuid import UUID

from sqlalchemy import select

from services.activities.listings.tables import Listing, ListingWords
from services.activities.main import SERVICE
from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from services.activities.words.rules import VERSION
from shared.database.sessions import Database
from tests.factories.activities import make_round
from tests.factories.proposals import make_proposal
from tests.nights import one_night


def test_a_night_that_was_missed_is_made_up_for_once(database: Database, programme: UUID) -> None:
    """Months late: what passed is published, each once, and what its partner left lying has expired."""
    with database.transaction() as tx:
        call = make_round(tx, programme_id=programme)
        passed = [make_proposal(tx, state=State.APPROVED, call=call, title=f"方案第{n}号").id for n in range(3)]
        left = make_proposal(tx, state=State.CHANGES_REQUESTED, call=call, title="种树活动").id

    for _ in range(2):
        one_night(database, SERVICE)

    with database.transaction() as tx:
        published = tx.scalars(select(Listing).where(Listing.programme_id == programme)).all()
        assert sorted(each.reference for each in published) == ["R001-0001", "R001-0002", "R001-0003"]
        assert {each.proposal_id for each in published} == set(passed)
        assert tx.get_one(Proposal, left).state == State.EXPIRED
        words = tx.scalars(select(ListingWords.version).where(ListingWords.programme_id == programme)).all()
        assert words == [VERSION] * 3  # What was published was read as well.
