import time
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.ledger.donations import actions, queries
from services.ledger.donations.rules import VersionRetold
from services.ledger.donations.tables import Donation
from services.ledger.journal.tables import Balance, Entry, Leg
from services.ledger.policies.rules import NoPolicy
from shared import ids
from shared.database.sessions import Database
from shared.events.activities import Attended
from tests.factories.ledger import (
    FIRST_OF_JUNE,
    JANUARY,
    NOW,
    OTHER_PARTNER,
    PARTNER,
    PROGRAMME,
    make_policy_version,
    make_revised,
    make_settled,
    make_voided,
)
from tests.ledger.raw import Raw, refused_state, wait_for_lock


def balances(tx: Session) -> dict[tuple[str, Any], int]:
    tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert queries.prove_balance(tx, programme_id=PROGRAMME, partner_scope=None).balanced
    rows = tx.execute(
        select(Balance).where(Balance.programme_id == PROGRAMME).execution_options(populate_existing=True)
    )
    return {(row.account, row.partner_id): row.fen for row in rows.scalars() if row.fen}


def owed(fen: int, partner_id: Any = PARTNER) -> dict[tuple[str, Any], int]:
    return {("5110", partner_id): fen, ("2110", partner_id): -fen}


def history(tx: Session, *columns: Any) -> Sequence[Any]:
    statement = (
        select(*columns).where(Donation.programme_id == PROGRAMME).order_by(Donation.attendance_id, Donation.version)
    )
    return [tuple(row) for row in tx.execute(statement)]


def entries(tx: Session) -> list[Entry]:
    return list(tx.scalars(select(Entry).where(Entry.programme_id == PROGRAMME).order_by(Entry.id)))


def test_a_later_version_may_be_of_another_record_of_the_person(tx: Session) -> None:
    """Two records were merged: the donation is the other one's from then on, and no fen moves."""
    make_policy_version(tx)
    settled, kept = make_settled(minutes=120), uuid4()
    actions.accrue(tx, [settled], now=NOW)

    actions.accrue(tx, [make_revised(settled, minutes=120, volunteer_id=kept)], now=NOW)
    actions.accrue(tx, [make_voided(make_settled(attendance_id=UUID(int=2**128 - 1)))], now=NOW)

    found = history(tx, Donation.version, Donation.volunteer_id, Donation.fen)
    assert found[:2] == [(1, settled.volunteer_id, 20_000), (2, kept, 20_000)]
    assert len(entries(tx)) == 1
    assert balances(tx) == owed(20_000)


def test_settled_service_is_owed_to_its_partner(tx: Session) -> None:
    """From the fact to the balance, each row says where it comes from."""
    version = make_policy_version(tx)
    settled = make_settled(service_minutes=130, matchable_minutes=125)

    actions.accrue(tx, [settled], now=NOW)

    donation = tx.scalars(select(Donation).where(Donation.attendance_id == settled.attendance_id)).one()
    assert (donation.recorded_minutes, donation.matchable_minutes, donation.credited_minutes) == (130, 125, 120)
    assert (donation.step_rounding_minutes, donation.fen, donation.policy_version_id) == (5, 20_000, version.id)
    [entry] = entries(tx)
    assert (donation.entry_id, entry.source_id, entry.source_version) == (entry.id, settled.attendance_id, 1)
    assert (entry.kind, entry.effective_on, entry.posted_at) == ("accrual", FIRST_OF_JUNE, NOW)
    legs = tx.execute(select(Leg.account, Leg.fen).where(Leg.entry_id == entry.id).order_by(Leg.line)).all()
    assert [tuple(leg) for leg in legs] == [("5110", 20_000), ("2110", -20_000)]
    assert balances(tx) == owed(20_000)


def test_a_revision_reverses_and_posts_the_whole(tx: Session) -> None:
    """The old amount stays readable, the new one stands alone."""
    make_policy_version(tx)
    settled = make_settled(minutes=120)
    actions.accrue(tx, [settled], now=NOW)

    actions.accrue(tx, [make_revised(settled, minutes=180, service_on=date(2022, 6, 2))], now=NOW)

    first, reversal, second = entries(tx)
    assert [entry.kind for entry in (first, reversal, second)] == ["accrual", "reversal", "accrual"]
    assert (reversal.reversal_of, reversal.effective_on, reversal.source_version) == (first.id, FIRST_OF_JUNE, 2)
    assert second.effective_on == date(2022, 6, 2)
    assert history(tx, Donation.version, Donation.state, Donation.fen, Donation.entry_id, Donation.superseded_at) == [
        (1, "settled", 20_000, first.id, NOW),
        (2, "revised", 30_000, second.id, None),
    ]
    assert len(set(history(tx, Donation.id))) == 1
    assert balances(tx) == owed(30_000)


def test_the_same_amount_keeps_its_entry(tx: Session) -> None:
    """The record is corrected, the money untouched, and the next correction still finds what to reverse."""
    make_policy_version(tx)
    settled = make_settled(minutes=120)
    actions.accrue(tx, [settled], now=NOW)
    revised = make_revised(settled, minutes=130)

    actions.accrue(tx, [revised], now=NOW)

    [entry] = entries(tx)
    assert history(tx, Donation.version, Donation.matchable_minutes, Donation.entry_id) == [
        (1, 120, entry.id),
        (2, 130, entry.id),
    ]
    actions.accrue(tx, [make_voided(revised)], now=NOW)
    assert balances(tx) == {}


def test_a_partner_corrected_gives_one_what_the_other_loses(tx: Session) -> None:
    """Both partners' balances are right after it."""
    make_policy_version(tx)
    settled = make_settled(minutes=120)
    actions.accrue(tx, [settled], now=NOW)

    actions.accrue(tx, [make_revised(settled, partner_id=OTHER_PARTNER)], now=NOW)

    assert balances(tx) == owed(20_000, OTHER_PARTNER)


def test_a_void_takes_everything_back_and_may_be_undone(tx: Session) -> None:
    """Only a newer version brings it back."""
    make_policy_version(tx)
    settled = make_settled()
    voided = make_voided(settled, service_minutes=99)
    actions.accrue(tx, [settled], now=NOW)

    actions.accrue(tx, [voided], now=NOW)

    assert balances(tx) == {}
    assert history(tx, Donation.state, Donation.recorded_minutes, Donation.policy_version_id, Donation.entry_id)[
        1:
    ] == [("voided", 0, None, None)]
    actions.accrue(tx, [settled.model_copy(update={"version": 3})], now=NOW)
    assert balances(tx) == owed(20_000)


@pytest.mark.parametrize("minutes", [0, 29])
def test_too_short_a_service_is_kept_without_an_entry(tx: Session, minutes: int) -> None:
    """Nothing is owed, and why can be read."""
    make_policy_version(tx)

    actions.accrue(tx, [make_settled(minutes=minutes)], now=NOW)

    assert history(tx, Donation.fen, Donation.below_minimum_minutes, Donation.entry_id) == [(0, minutes, None)]
    assert entries(tx) == []


def test_the_policy_in_force_at_the_start_of_service_counts(tx: Session) -> None:
    """Not the one in force when the fact arrives."""
    change = JANUARY + timedelta(days=100)
    make_policy_version(tx, effective_until=change)
    make_policy_version(tx, effective_from=change, fen_per_hour=20_000)
    starts = [change - timedelta(microseconds=1), change]

    actions.accrue(tx, [make_settled(minutes=60, started_at=at) for at in starts], now=NOW)

    assert sorted(history(tx, Donation.started_at, Donation.fen)) == [(starts[0], 10_000), (starts[1], 20_000)]


def test_without_a_policy_nothing_is_written(tx: Session) -> None:
    """A batch takes effect as a whole or not at all; an unapproved version is none."""
    make_policy_version(tx, approved=False)
    make_policy_version(tx, effective_until=JANUARY + timedelta(days=1))

    with pytest.raises(NoPolicy):
        actions.accrue(tx, [make_settled(started_at=JANUARY), make_settled()], now=NOW)

    assert history(tx, Donation.id) == []
    assert entries(tx) == []


def test_a_version_told_otherwise_is_refused_after_the_fact(tx: Session) -> None:
    """The row is compared in full with what is told."""
    make_policy_version(tx)
    settled = make_settled()
    actions.accrue(tx, [settled], now=NOW)

    actions.accrue(tx, [settled], now=NOW)
    with pytest.raises(VersionRetold):
        actions.accrue(tx, [settled.model_copy(update={"volunteer_id": PARTNER})], now=NOW)


@pytest.mark.parametrize("seed", range(6))
def test_any_order_ends_in_the_same_books(tx: Session, seed: int) -> None:
    """Facts of several attendances, shuffled, repeated and cut into batches, owe what the newest versions say."""
    make_policy_version(tx)
    random = Random(seed)  # noqa: S311  Not a secret.
    facts: list[Attended] = []
    for hours in range(1, 5):
        settled = make_settled(minutes=60 * hours)
        revised = make_revised(settled, minutes=60 * hours + 60, partner_id=OTHER_PARTNER)
        facts += [
            settled,
            revised,
            make_revised(revised, minutes=60 * hours + 60) if hours % 2 else make_voided(revised),
        ]
    told = facts * 2
    random.shuffle(told)

    while told:
        size = random.randint(1, 6)
        actions.accrue(tx, told[:size], now=NOW)
        told = told[size:]

    assert balances(tx) == owed(20_000 + 40_000, OTHER_PARTNER)


def test_whoever_comes_second_waits_and_sees_what_the_first_did(database: Database, programme: UUID) -> None:
    """Not even a first fact, which has no row to lock yet, fails for being brought twice at once."""
    with database.transaction() as tx:
        make_policy_version(tx, programme_id=programme)
    settled = make_settled(programme_id=programme)
    seen: list[int] = []

    def bring_it_again() -> None:
        with database.transaction() as tx:
            actions.accrue(tx, [make_revised(settled, minutes=60)], now=NOW)
            seen.extend(tx.scalars(select(Donation.version).where(Donation.programme_id == programme)))

    second = Thread(target=bring_it_again)
    with database.transaction() as tx:
        actions.accrue(tx, [settled], now=NOW)
        second.start()
        wait_for_lock(database)
    second.join(timeout=10)

    assert sorted(seen) == [1, 2]


class TestGuards:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE donation SET fen = fen + 1",
            "UPDATE donation SET superseded_at = NULL",
            "DELETE FROM donation",
            "TRUNCATE donation",
        ],
    )
    def test_a_donation_is_never_edited(self, raw: Raw, change: str) -> None:
        """What was decided, and why, stays."""
        make_policy_version(raw.tx)
        actions.accrue(raw.tx, [make_settled()], now=NOW)
        raw.tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

        assert refused_state(raw.tx, change) in {"42501", "PC001", "PC005"}

    def test_an_attendance_has_one_donation_that_stands(self, raw: Raw) -> None:
        """Two versions cannot both count."""
        make_policy_version(raw.tx)
        actions.accrue(raw.tx, [make_settled()], now=NOW)
        again = """
            INSERT INTO donation
            SELECT again.* FROM donation, jsonb_populate_record(
                donation, to_jsonb(donation) || jsonb_build_object('id', uuidv7(), 'version', version + 1)) AS again
            WHERE donation.programme_id = :programme_id
        """

        assert refused_state(raw.tx, again, {"programme_id": PROGRAMME}) == "23505"


def test_a_correction_holds_on_a_host_whose_clock_is_behind(tx: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids carry the host's time; a reversal must still come after what it reverses."""
    make_policy_version(tx)
    settled = make_settled(minutes=120)
    actions.accrue(tx, [settled], now=NOW)
    an_hour_ago = time.time_ns() - 3_600 * 10**9
    monkeypatch.setattr(ids, "_last", 0)  # Another process, that has made no id yet.
    monkeypatch.setattr(time, "time_ns", lambda: an_hour_ago)

    actions.accrue(tx, [make_revised(settled, minutes=60)], now=NOW)

    standing = select(Donation.fen).where(Donation.superseded_at.is_(None))
    assert tx.scalars(standing.where(Donation.attendance_id == settled.attendance_id)).one() == 10_000
