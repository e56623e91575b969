"""After an outage: what the timers have missed settles as it should have, once, when they run again."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.claims.tables import Claim
from services.activities.draws.tables import Draw
from services.activities.kits.tables import Kit, KitAddress
from services.activities.listings.tables import Shift
from services.activities.main import SERVICE
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from tests.activities.told import told
from tests.factories.activities import NINE, NOON, make_claim, make_draw, make_shift, make_sign_up
from tests.factories.kits import make_address, make_craft_shift, make_kit
from tests.nights import EVENING, one_night

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AHEAD = EVENING.replace(year=2030)


def leave(tx: Session, programme: UUID) -> None:
    """Have a draw, two claims and three kits fall due while nobody is there."""
    drawn = make_shift(tx, programme_id=programme, capacity=1, starts_at=AHEAD, ends_at=AHEAD + HOUR)
    make_draw(tx, drawn, draws_at=NINE)
    for _ in range(2):
        make_sign_up(tx, drawn, state="waitlisted")
    missed = make_shift(tx, programme_id=programme)
    for until in (AHEAD, NOON + 2 * DAY):
        place = make_sign_up(tx, missed, state="missed")
        make_claim(tx, place, shift=missed, answer_until=NOON + DAY, decide_until=until)
    craft = make_craft_shift(tx, programme_id=programme)
    for state in ("issued", "shipped", "received"):
        kit = make_kit(tx, shift=craft, state=state)
        if state != "received":
            make_address(tx, kit)


def test_what_fell_due_meanwhile_settles_once(database: Database, programme: UUID) -> None:
    """Places are drawn, claims are passed on or end, kits are cancelled or overdue, addresses go; and only once."""
    with database.transaction() as tx:
        leave(tx, programme)

    for _ in range(2):
        one_night(database, SERVICE)

    with database.transaction() as tx:
        shifts = select(Shift.id).where(Shift.programme_id == programme)
        assert tx.scalars(select(Draw.drawn_at).where(Draw.shift_id.in_(shifts))).one() is not None
        claims = tx.execute(select(Claim.state, Claim.review).where(Claim.programme_id == programme))
        assert sorted(claims.all()) == [("expired", None), ("open", "unanswered")]
        kits = Counter(tx.scalars(select(Kit.state).where(Kit.programme_id == programme)))
        addresses = select(KitAddress.kit_id).join(Kit, Kit.id == KitAddress.kit_id)
        assert tx.scalars(addresses.where(Kit.programme_id == programme, Kit.state == "cancelled")).all() == []
        kinds = Counter(type(each).__name__ for each in told(tx, programme))
        places = Counter(tx.scalars(select(SignUp.state).where(SignUp.programme_id == programme)))
    assert kits == {"cancelled": 1, "overdue": 2}
    assert (kinds["AttendanceClaimExpired"], kinds["KitOverdue"], kinds["KitCancelled"]) == (1, 2, 1)
    assert (kinds["ShiftDrawn"], places["offered"], places["waitlisted"]) == (1, 1, 1)
