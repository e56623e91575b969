from uuid import UUID

from sqlalchemy import select

from services.activities.deliverables.tables import Deliverable
from services.activities.main import SERVICE
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from shared.events.activities_deliverables import DeliverableDue, DeliverableOverdue
from tests.activities.told import told
from tests.factories.activities import make_sign_up
from tests.factories.deliverables import make_deliverable, make_submitted, make_work_shift
from tests.nights import one_night


def test_a_night_that_was_missed_is_made_up_for_once(database: Database, programme: UUID) -> None:
    """Years late: what was not told is due from now on, what did not come is overdue, what lies is accepted."""
    with database.transaction() as tx:
        make_sign_up(tx, shift := make_work_shift(tx, programme_id=programme))
        late = make_deliverable(tx, programme_id=programme).id
        lies = make_submitted(tx, programme_id=programme).id

    for _ in range(2):
        one_night(database, SERVICE)

    with database.transaction() as tx:
        rows = {each.id: each for each in tx.scalars(select(Deliverable).where(Deliverable.programme_id == programme))}
        [told_now] = [each for each in rows.values() if each.shift_id == shift.id]
        assert (told_now.state, rows[late].state, rows[lies].state) == ("due", "overdue", "accepted")
        assert rows[lies].is_by_silence
        assert tx.get_one(SignUp, rows[lies].sign_up_id).state == "attended"
        kinds = [type(each) for each in told(tx, programme)]
        assert (kinds.count(DeliverableDue), kinds.count(DeliverableOverdue)) == (1, 1)
