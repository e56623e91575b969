"""What partners' totals say is what their donations add up to, whatever became of these."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import product
from random import Random
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from services.ledger.donations import actions, queries
from services.ledger.donations.tables import PartnerTotal
from shared.database.sessions import Database
from shared.events.activities import AttendanceRevised, AttendanceSettled, Attended
from shared.ids import new_id
from tests.factories.ledger import (
    FIRST_OF_JUNE,
    NINE,
    NOW,
    OTHER_PARTNER,
    PARTNER,
    PROGRAMME,
    make_policy_version,
    make_revised,
    make_settled,
    make_voided,
)
from tests.ledger.raw import Raw, refused_state
from tests.shared.bus.running import counted

MONTHS = [date(2022, month, 1) for month in range(5, 9)]
PARTNERS = [PARTNER, OTHER_PARTNER, UUID(int=7)]
LISTING = UUID(int=8)  # Of all donations here; a total does not know it, so that donations are added up.


def totals(tx: Session, programme_id: UUID = PROGRAMME) -> dict[tuple[UUID, date | None], tuple[int, int]]:
    """Return participations and fen by partner and month."""
    found = tx.execute(
        select(
            PartnerTotal.partner_id, PartnerTotal.service_month, PartnerTotal.participations, PartnerTotal.fen
        ).where(PartnerTotal.programme_id == programme_id)
    )
    return {(row.partner_id, row.service_month): (row.participations, row.fen) for row in found}


def waterfall(tx: Session, *, scope: UUID | None = None, **wanted: Any) -> queries.Waterfall:
    return queries.sum_waterfall(tx, wanted, programme_id=PROGRAMME, partner_scope=scope)


def a_history(random: Random, *, attendances: int) -> list[Attended]:
    """Tell what becomes of attendances: minutes, partner and month are corrected, some are voided."""
    told: list[Attended] = []
    for _ in range(attendances):
        latest: AttendanceSettled | AttendanceRevised = make_settled(listing_id=LISTING, **anything(random))
        told.append(latest)
        for _ in range(random.randint(0, 3)):
            if random.random() < 0.3:
                told.append(make_voided(latest))
                latest = latest.model_copy(update={"version": latest.version + 1})
            latest = make_revised(latest, **anything(random))
            told.append(latest)
        if random.random() < 0.2:
            told.append(make_voided(latest))
    random.shuffle(told)
    return told


def anything(random: Random) -> dict[str, Any]:
    day = timedelta(days=random.randint(-40, 60))
    minutes = random.randint(0, 600)
    return {
        "partner_id": random.choice(PARTNERS), "service_minutes": minutes + random.randint(0, 60),
        "matchable_minutes": minutes, "started_at": NINE + day, "service_on": FIRST_OF_JUNE + day,
    }  # fmt: skip


def bring(tx: Session, told: Sequence[Attended], random: Random) -> None:
    """Accrue in batches of any size, each some of what has been brought before again."""
    for start in range(0, len(told), size := random.randint(1, 12)):
        actions.accrue(tx, told[max(0, start - 3) : start + size], now=NOW)


@pytest.mark.parametrize("seed", range(6))
def test_totals_answer_as_the_donations_do(tx: Session, seed: int) -> None:
    """Whatever was corrected, voided and moved, in whatever order it came, for every partner, period and scope."""
    random = Random(seed)  # noqa: S311  Not a secret.
    make_policy_version(tx)
    bring(tx, a_history(random, attendances=12), random)

    for partner, scope, begins, ends in product([None, *PARTNERS], [None, PARTNER], [None, *MONTHS], [None, *MONTHS]):
        asked: dict[str, Any] = {"partner_id": partner, "service_from": begins, "service_until": ends}
        assert waterfall(tx, scope=scope, **asked) == waterfall(tx, scope=scope, **asked, listing_id=LISTING)
    assert waterfall(tx).sums.participations > 0
    assert queries.prove_balance(tx, programme_id=PROGRAMME, partner_scope=None).balanced


def test_a_period_that_ends_within_months_is_added_up_to_the_day(tx: Session) -> None:
    """A total of its month would say too much."""
    make_policy_version(tx)
    actions.accrue(tx, [make_settled(), make_settled(service_on=date(2022, 6, 2))], now=NOW)

    assert waterfall(tx, service_from=date(2022, 6, 2)).sums.participations == 1
    assert waterfall(tx, service_until=date(2022, 6, 2)).sums.participations == 1
    assert waterfall(tx, service_from=FIRST_OF_JUNE, service_until=date(2022, 7, 1)).sums.participations == 2


def test_a_month_and_a_partner_lose_what_others_gain(tx: Session) -> None:
    """What is moved counts once; a partner whose last hour is voided has no part any more."""
    make_policy_version(tx)
    first, second = make_settled(), make_settled(minutes=60)
    actions.accrue(tx, [first, second], now=NOW)

    moved = make_revised(first, partner_id=OTHER_PARTNER, service_on=date(2022, 7, 31))
    actions.accrue(tx, [moved, make_voided(second)], now=NOW)

    assert totals(tx) == {
        (PARTNER, FIRST_OF_JUNE): (0, 0),
        (PARTNER, None): (0, 0),
        (OTHER_PARTNER, date(2022, 7, 1)): (1, 20_000),
        (OTHER_PARTNER, None): (1, 20_000),
    }
    assert waterfall(tx).sums.partners == 1


def test_what_changes_nothing_moves_no_total(tx: Session, database: Database) -> None:
    """A repeated batch writes nothing at all."""
    make_policy_version(tx)
    settled = make_settled()
    actions.accrue(tx, [settled], now=NOW)

    with counted(database.engine) as repeated:
        actions.accrue(tx, [settled], now=NOW)
    with counted(database.engine) as corrected:
        actions.accrue(tx, [make_revised(settled, minutes=500)], now=NOW)

    assert [sum("partner_total" in statement for statement in seen) for seen in (repeated, corrected)] == [0, 1]


def test_whole_months_are_read_from_totals_alone(tx: Session, database: Database) -> None:
    """That is why they take no longer in an old ledger."""
    with counted(database.engine) as asked:
        for wanted in ({}, {"partner_id": PARTNER}, {"service_from": FIRST_OF_JUNE}):
            waterfall(tx, **wanted)

    sums = [statement for statement in asked if statement != "BEGIN"]
    assert [("FROM partner_total" in each, "FROM donation" in each) for each in sums] == [(True, False)] * 3


def test_batches_that_meet_on_the_same_totals_wait_for_each_other(database: Database, programme: UUID) -> None:
    """Four at once move the same donations to and fro; none dies of a deadlock, and the totals are what is left."""
    with database.transaction() as tx:
        make_policy_version(tx, programme_id=programme)
    chains = [chain_of(programme, number) for number in range(4)]
    failed: list[Exception] = []

    def post(chain: list[list[Attended]]) -> None:
        try:
            for batch in chain:
                with database.transaction() as tx:
                    actions.accrue(tx, batch, now=NOW)
        except Exception as error:  # noqa: BLE001  Told by the assertion below, in the thread that counts.
            failed.append(error)

    threads = [Thread(target=post, args=(chain,)) for chain in chains]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert failed == []
    with database.transaction() as tx:
        assert queries.prove_balance(tx, programme_id=programme, partner_scope=None).balanced
        assert sum(count for (_, month), (count, _) in totals(tx, programme).items() if month is None) == 4 * 12


def chain_of(programme: UUID, number: int) -> list[list[Attended]]:
    """Make facts of a batch and ten corrections of it, each to the other partners and months."""
    latest: list[AttendanceSettled] = [
        make_settled(programme_id=programme, attendance_id=new_id(), partner_id=PARTNERS[(each + number) % 3])
        for each in range(12)
    ]
    chain: list[list[Attended]] = [list(latest)]
    corrected: list[Any] = list(latest)
    for step in range(10):
        corrected = [
            make_revised(
                fact, partner_id=PARTNERS[(each + step * (number + 1)) % 3],
                service_on=MONTHS[(each * 3 + step + number) % 4], minutes=60 + step,
            )
            for each, fact in enumerate(corrected)
        ]  # fmt: skip
        chain.append(list(corrected))
    return chain


@pytest.mark.parametrize(
    "change", [{"fen": PartnerTotal.fen + 1}, {"participations": 0}], ids=["fen", "participations"]
)
@pytest.mark.parametrize("month", [FIRST_OF_JUNE, None])
def test_the_proof_finds_a_total_that_drifted(tx: Session, change: dict[str, Any], month: date | None) -> None:
    """Totals are believed only as far as the donations agree; a partner's proof is its own."""
    make_policy_version(tx)
    actions.accrue(tx, [make_settled(), make_settled(partner_id=OTHER_PARTNER)], now=NOW)
    drifted = update(PartnerTotal).where(PartnerTotal.partner_id == PARTNER, PartnerTotal.service_month == month)
    tx.execute(drifted.values(change))

    proof = queries.prove_balance(tx, programme_id=PROGRAMME, partner_scope=None)

    assert (proof.differing_totals, proof.trial.balanced, proof.balanced) == (1, True, False)
    assert not queries.prove_balance(tx, programme_id=PROGRAMME, partner_scope=PARTNER).balanced
    assert queries.prove_balance(tx, programme_id=PROGRAMME, partner_scope=OTHER_PARTNER).balanced


def test_the_proof_finds_a_total_that_is_missing(raw_owner: Session) -> None:
    """And one of nothing."""
    make_policy_version(raw_owner)
    actions.accrue(raw_owner, [make_settled()], now=NOW)
    raw_owner.execute(text("DELETE FROM partner_total WHERE programme_id = :id"), {"id": PROGRAMME})

    assert queries.prove_balance(raw_owner, programme_id=PROGRAMME, partner_scope=None).differing_totals == 2


class TestGuards:
    @pytest.mark.parametrize("change", ["DELETE FROM partner_total", "TRUNCATE partner_total"])
    def test_the_service_takes_no_total_away(self, tx: Session, change: str) -> None:
        """It can only move it."""
        assert refused_state(tx, change) == "42501"

    @pytest.mark.parametrize(
        ("change", "state"),
        [
            ("UPDATE partner_total SET credited_minutes = credited_minutes + 1", "23514"),
            ("UPDATE partner_total SET service_month = '2022-06-02' WHERE service_month IS NOT NULL", "23514"),
            ("INSERT INTO partner_total SELECT * FROM partner_total", "23505"),
        ],
    )
    def test_a_total_adds_up_and_there_is_one(self, raw: Raw, change: str, state: str) -> None:
        """Of a month from its first day, and of all months, which have none."""
        make_policy_version(raw.tx)
        actions.accrue(raw.tx, [make_settled()], now=NOW)

        assert refused_state(raw.tx, change) == state
