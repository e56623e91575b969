from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence
from services.activities.attendance.tables import Attendance
from services.activities.certificates import actions, queries, rules
from services.activities.certificates.rules import State
from services.activities.certificates.tables import Certificate
from services.activities.corrections import actions as corrections
from services.activities.personal_data import actions as personal_data
from services.activities.personal_data.actions import Request
from services.activities.records.queries import Period
from shared.auth.certificate_keys import CertificateKeys, is_signed, new_seed, public_keys
from shared.database.sessions import Database
from shared.documents import certificates
from shared.errors import ChangedSince, NotFound, ReadFirst, Refusal
from shared.events.activities import EvidenceClass
from shared.seen import ANYTHING, Seen
from tests.activities.door import Door
from tests.activities.racing import at_once
from tests.factories.activities import NINE, NOON, PROGRAMME, REVIEWER, at, make_settled, make_shift, make_volunteer
from tests.factories.certificates import JUNE, KEYS, make_certificate, make_issuer

PREFIX, OTHER, THIRD = (f"{letter}{uuid4().hex[:7].upper()}" for letter in "XYZ")  # Nobody else's of this run.
FACTS = actions.IssuerFacts(THIRD, "基金会", "Foundation", "信箱", "Asia/Shanghai")


@pytest.fixture
def record(tx: Session) -> Attendance:
    make_issuer(tx, prefix=PREFIX)
    return make_settled(tx, make_shift(tx))


def wish(record: Attendance, **more: Any) -> actions.Wish:
    values: dict[str, Any] = {"period": JUNE, "by": record.volunteer_id, "at": NOON}
    return actions.Wish(record.programme_id, record.volunteer_id, **values | more)


def correct(tx: Session, record: Attendance, *, hours: int) -> None:
    presence = Presence(NINE, NINE + timedelta(hours=hours), EvidenceClass.MANUAL)
    decision = corrections.Decision(record.programme_id, record.id, ANYTHING, "更正", REVIEWER, NOON)
    corrections.correct(tx, decision, presence)


class TestIssue:
    def test_what_was_served_is_stated_and_signed(self, tx: Session, record: Attendance) -> None:
        """Number, programme, period, total, date, key, and the digest of all that is shown."""
        certificate = actions.issue(tx, wish(record), KEYS)

        assert (certificate.number, certificate.state, certificate.version) == (f"{PREFIX}-2022-000001", "valid", 1)
        assert orjson.loads(certificate.statement) == {
            "v": 1, "number": f"{PREFIX}-2022-000001", "programme": str(PROGRAMME), "service_from": "2022-06-01",
            "service_until": "2022-06-02", "minutes": 180, "issued_on": "2022-06-01", "key": KEYS.newest,
            "content": certificates.digest_of(certificate.content or {}),
        }  # fmt: skip
        key = public_keys(KEYS.jwks())[KEYS.newest]
        about = b"popcandy.certificate.statement.v1\x00"
        assert is_signed(about + certificate.statement, certificate.signature, key=key)
        content = certificate.content or {}
        assert (content["display_name"], content["volunteer_number"]) == ("合成甲", str(record.volunteer_id))
        assert content["services"] == [["2022-06-01", "净滩", "绿叶", 180, "scanned"]]
        assert "employee" not in str(content)

    def test_again_is_the_same_one_while_it_holds(self, tx: Session, record: Attendance) -> None:
        """For another period it is another."""
        first = actions.issue(tx, wish(record), KEYS)
        assert actions.issue(tx, wish(record, at=NOON + timedelta(days=9)), KEYS) is first
        other = actions.issue(tx, wish(record, period=Period(date(2022, 5, 1), date(2022, 6, 2))), KEYS)
        assert other.number == f"{PREFIX}-2022-000002"

    @pytest.mark.parametrize("hours", [2, 1])
    def test_when_the_minutes_are_others_a_new_one_takes_its_place(
        self, tx: Session, record: Attendance, hours: int
    ) -> None:
        """The old one stays, superseded; both can be looked up."""
        first = actions.issue(tx, wish(record), KEYS)
        correct(tx, record, hours=hours)
        assert queries.state_of(tx, first) is State.SUPERSEDED
        assert first.state == State.VALID

        second = actions.issue(tx, wish(record, by=REVIEWER), KEYS)

        assert (second.total_minutes, second.number) == (60 * hours, f"{PREFIX}-2022-000002")
        assert (first.state, first.version, first.ended_at, first.ended_by) == ("superseded", 2, NOON, REVIEWER)
        assert queries.state_of(tx, second) is State.VALID

    def test_numbers_are_counted_by_programme_and_year(self, tx: Session, record: Attendance) -> None:
        """The year is that of the issuer's own date: at midnight in Shanghai it is another."""
        old, new = (Period(date(2022, 6, 1), date(2022, 12, day)) for day in (30, 31))
        eve = NOON.replace(month=12, day=31, hour=15, minute=59)
        assert actions.issue(tx, wish(record, period=old, at=eve), KEYS).number == f"{PREFIX}-2022-000001"
        later = actions.issue(tx, wish(record, period=new, at=eve + timedelta(minutes=1)), KEYS)
        assert (later.number, later.issued_on) == (f"{PREFIX}-2023-000001", date(2023, 1, 1))
        elsewhere = make_settled(tx, make_shift(tx, programme_id=uuid4()))
        make_issuer(tx, programme_id=elsewhere.programme_id, prefix=OTHER)
        assert actions.issue(tx, wish(elsewhere), KEYS).number == f"{OTHER}-2022-000001"

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ({"period": Period(date(2022, 6, 1), date(2022, 6, 3))}, rules.BadPeriod),
            ({"period": Period(date(2022, 6, 2), date(2022, 6, 2))}, rules.BadPeriod),
            ({"period": Period(date(2022, 6, 1), None)}, rules.BadPeriod),
            ({"period": Period(date(2022, 5, 1), date(2022, 6, 1))}, rules.NothingToCertify),
        ],
    )
    def test_what_is_refused_takes_no_number(
        self, tx: Session, record: Attendance, change: dict[str, Any], refusal: type[Refusal]
    ) -> None:
        """The next that is issued is the first."""
        with pytest.raises(refusal):
            actions.issue(tx, wish(record, **change), KEYS)
        assert actions.issue(tx, wish(record), KEYS).number == f"{PREFIX}-2022-000001"

    def test_it_takes_an_issuer_a_key_and_a_person(self, tx: Session) -> None:
        """Each is told by its own name."""
        record = make_settled(tx, make_shift(tx))
        with pytest.raises(rules.NoIssuer):
            actions.issue(tx, wish(record), KEYS)
        make_issuer(tx)
        with pytest.raises(rules.NotSetUp):
            actions.issue(tx, wish(record), None)
        with pytest.raises(NotFound):
            actions.issue(tx, actions.Wish(PROGRAMME, uuid4(), JUNE, REVIEWER, NOON), KEYS)
        with pytest.raises(NotFound):
            actions.issue(tx, actions.Wish(uuid4(), record.volunteer_id, JUNE, REVIEWER, NOON), KEYS)
        with pytest.raises(rules.NothingToCertify):
            actions.issue(tx, actions.Wish(PROGRAMME, make_volunteer(tx).id, JUNE, REVIEWER, NOON), KEYS)

    def test_a_new_key_signs_what_comes_after_it(self, tx: Session, record: Attendance) -> None:
        """What was issued before keeps the key that signed it."""
        first = actions.issue(tx, wish(record), KEYS)
        newer = CertificateKeys([new_seed()])
        assert actions.issue(tx, wish(record), newer).key_id == KEYS.newest == first.key_id
        other = actions.issue(tx, wish(record, period=Period(date(2022, 5, 1), date(2022, 6, 2))), newer)
        assert other.key_id == newer.newest


class TestRevoke:
    def revoke(self, tx: Session, certificate: Certificate, *, seen: Seen | None = None) -> Certificate:
        return actions.revoke(
            tx, certificate.id, programme_id=PROGRAMME, seen=seen or Seen.of(certificate), because="冒用", by=REVIEWER,
            now=NOON,
        )  # fmt: skip

    def test_it_is_taken_back_for_good(self, tx: Session, record: Attendance) -> None:
        """Also one that was superseded; a new one can be issued."""
        first = make_certificate(tx, record)
        correct(tx, record, hours=2)
        second = make_certificate(tx, record)
        for certificate in (first, second):
            self.revoke(tx, certificate)
            assert (certificate.state, certificate.revoked_because, certificate.ended_by) == (
                "revoked", "冒用", REVIEWER
            )  # fmt: skip
            with pytest.raises(rules.CertificateRevoked):
                self.revoke(tx, certificate)
        assert make_certificate(tx, record).number == f"{PREFIX}-2022-000003"

    def test_by_who_has_read_it(self, tx: Session, record: Attendance) -> None:
        """In its programme."""
        certificate = make_certificate(tx, record)
        with pytest.raises(ReadFirst):
            self.revoke(tx, certificate, seen=Seen())
        with pytest.raises(ChangedSince):
            self.revoke(tx, certificate, seen=Seen(tags=("7",)))
        with pytest.raises(NotFound):
            actions.revoke(
                tx, certificate.id, programme_id=uuid4(), seen=ANYTHING, because="x", by=REVIEWER, now=NOON
            )  # fmt: skip
        assert certificate.state == "valid"


class TestTimer:
    def test_what_holds_no_longer_is_marked_once(self, tx: Session) -> None:
        """Run twice, and late: nothing else is touched."""
        held, changed, gone = (make_settled(tx, make_shift(tx)) for _ in range(3))
        certified = {each.id: make_certificate(tx, each) for each in (held, changed, gone)}
        correct(tx, changed, hours=1)
        decision = corrections.Decision(PROGRAMME, gone.id, ANYTHING, "误报", REVIEWER, NOON)
        corrections.void(tx, decision)
        late = NOON + timedelta(days=3)
        assert actions.supersede_outdated(tx, now=NOON) >= 2
        versions = {key: each.version for key, each in certified.items()}

        assert actions.supersede_outdated(tx, now=late) == 0

        assert {key: each.state for key, each in certified.items()} == {
            held.id: "valid", changed.id: "superseded", gone.id: "superseded"
        }  # fmt: skip
        assert {key: each.version for key, each in certified.items()} == versions
        assert certified[gone.id].ended_by is None
        assert certified[gone.id].ended_at == NOON


class TestIssuer:
    def test_a_prefix_is_one_programmes(self, tx: Session) -> None:
        """As long as anything was issued under it, too."""
        record = make_settled(tx, make_shift(tx))
        first = actions.record_issuer(tx, FACTS, programme_id=PROGRAMME, seen=Seen())
        make_certificate(tx, record)
        changed = actions.IssuerFacts(OTHER, "基金会", "Foundation", "信箱", "Asia/Shanghai")
        actions.record_issuer(tx, changed, programme_id=PROGRAMME, seen=Seen.of(first))
        assert (first.version, first.prefix) == (2, OTHER)
        for facts in (FACTS, changed):
            with pytest.raises(rules.PrefixTaken):
                actions.record_issuer(tx, facts, programme_id=uuid4(), seen=Seen())
        assert actions.record_issuer(tx, FACTS, programme_id=PROGRAMME, seen=Seen.of(first)).prefix == THIRD

    def test_it_is_changed_by_who_has_read_it(self, tx: Session) -> None:
        """And made by who knows that there is none."""
        with pytest.raises(ChangedSince):
            actions.record_issuer(tx, FACTS, programme_id=PROGRAMME, seen=ANYTHING)
        first = actions.record_issuer(tx, FACTS, programme_id=PROGRAMME, seen=Seen())
        for seen, refusal in ((Seen(), ReadFirst), (Seen(tags=("9",)), ChangedSince)):
            with pytest.raises(refusal):
                actions.record_issuer(tx, FACTS, programme_id=PROGRAMME, seen=seen)
        assert first.version == 1


def test_an_erased_person_leaves_a_number_that_can_still_be_checked(tx: Session, record: Attendance) -> None:
    """With its period, total and state, and nothing that it showed."""
    certificate = make_certificate(tx, record)
    request = Request(PROGRAMME, record.volunteer_id, REVIEWER, "来信", NOON + timedelta(days=1))
    personal_data.erase(tx, request)
    tx.refresh(certificate)

    assert certificate.content is None
    assert queries.state_of(tx, certificate) is State.VALID
    assert "合成甲" not in str(vars(certificate))
    with pytest.raises(NotFound):
        make_certificate(tx, record)


def test_two_at_once_are_one(door: Door, database: Database) -> None:
    """And of two people no number is given twice or left out."""
    programme = door.programme_id
    door.put_in(lambda tx: make_issuer(tx, programme_id=programme))
    people = [door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=programme))) for _ in range(3)]

    def request(record: Attendance) -> UUID:
        with database.transaction() as tx:
            return actions.issue(tx, wish(record, at=at(20)), KEYS).id

    issued = at_once(*(lambda record=record: request(record) for record in [*people, *people]))

    assert issued[:3] == issued[3:]
    with database.transaction() as tx:
        rows = tx.scalars(queries.certificates_of(programme, None)).all()
        assert sorted(row.number[-6:] for row in rows) == ["000001", "000002", "000003"]
