from uuid import UUID

from services.activities.certificates.tables import Certificate
from services.activities.corrections import actions as corrections
from services.activities.main import SERVICE
from shared.database.sessions import Database
from shared.seen import ANYTHING
from tests.factories.activities import NOON, REVIEWER, make_settled, make_shift
from tests.factories.certificates import make_certificate
from tests.nights import EVENING, one_night


def test_a_night_marks_what_holds_no_longer(database: Database, programme: UUID) -> None:
    """However many nights were missed, once; what holds stays, and the log says how many there were."""
    with database.transaction() as tx:
        held, gone = (make_settled(tx, make_shift(tx, programme_id=programme)) for _ in range(2))
        issued = [make_certificate(tx, each).id for each in (held, gone)]
        corrections.void(tx, corrections.Decision(programme, gone.id, ANYTHING, "误报", REVIEWER, NOON))

    first, second = one_night(database, SERVICE), one_night(database, SERVICE)

    counts = [line["certificates"] for logs in (first, second) for line in logs if "certificates" in line]
    assert counts[0] >= 1
    assert counts[1:] == [0]
    with database.transaction() as tx:
        found = [tx.get_one(Certificate, each) for each in issued]
        assert [each.state for each in found] == ["valid", "superseded"]
        assert found[1].ended_at is not None
        assert found[1].ended_at > EVENING
