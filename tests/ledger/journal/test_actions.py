from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event, text, update
from sqlalchemy.orm import Session

from services.ledger.journal import actions, queries, rules
from services.ledger.journal.rules import Posting
from services.ledger.journal.tables import Balance
from shared.database.keyset import filtered
from shared.database.sessions import Database
from shared.ids import new_id
from tests.factories.ledger import FIRST_OF_JUNE, NOW, OTHER_PARTNER, PARTNER, PROGRAMME
from tests.ledger.raw import refused


def make_posting(fen: int = 100, **overrides: Any) -> Posting:
    values: dict[str, Any] = {
        "id": new_id(), "programme_id": PROGRAMME, "source_id": uuid4(), "source_version": 1,
        "effective_on": FIRST_OF_JUNE, "legs": rules.owed(partner_id=overrides.pop("partner_id", PARTNER), fen=fen),
    }  # fmt: skip
    return Posting(**values | overrides)


def reversal_of(posting: Posting) -> Posting:
    return make_posting(
        source_id=posting.source_id, source_version=2, legs=rules.negated(posting.legs), reversal_of=posting.id
    )


def balances(tx: Session, **asked: Any) -> list[tuple[str, UUID, int]]:
    rows = filtered(queries.balances_of(PROGRAMME, None), queries.BALANCES.filters, asked)
    return [
        (row.account, row.partner_id, row.fen) for row in tx.execute(queries.BALANCES.order("account").sorted(rows))
    ]


def test_posting_moves_balances_by_what_it_posts(tx: Session) -> None:
    """Several entries of one partner in one batch are one movement of each account."""
    first = make_posting(100)
    actions.post(tx, [first, make_posting(50), make_posting(7, partner_id=OTHER_PARTNER)], now=NOW)

    actions.post(tx, [reversal_of(first), make_posting(30)], now=NOW)

    assert balances(tx) == [
        ("2110", PARTNER, -80),
        ("2110", OTHER_PARTNER, -7),
        ("5110", PARTNER, 80),
        ("5110", OTHER_PARTNER, 7),
    ]
    assert queries.prove_balance(tx, programme_id=PROGRAMME, partner_scope=None).balanced


def test_an_entry_and_its_reversal_may_come_in_one_batch(tx: Session) -> None:
    """The guards look when all of the statement is written."""
    posting = make_posting()

    actions.post(tx, [posting, reversal_of(posting)], now=NOW)

    assert {fen for _, _, fen in balances(tx)} == {0}


def test_a_batch_is_one_statement(tx: Session, database: Database) -> None:
    """However many entries, whatever they touch."""
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _cu, statement, *_: statements.append(statement))

    actions.post(tx, [make_posting(fen, partner_id=uuid4()) for fen in range(1, 501)], now=NOW)

    assert len([statement for statement in statements if "INSERT INTO leg" in statement]) == 1
    assert len(statements) == 1


def test_nothing_to_post_is_nothing_done(tx: Session) -> None:
    """A batch of stale facts costs no write."""
    actions.post(tx, [], now=NOW)

    assert balances(tx) == []


def test_a_second_entry_for_the_same_source_is_refused(tx: Session) -> None:
    """The third of three nets under a repeated fact."""
    posting = make_posting()
    actions.post(tx, [posting], now=NOW)

    assert refused(tx, lambda: actions.post(tx, [make_posting(source_id=posting.source_id)], now=NOW)) == "23505"


def test_the_proof_finds_a_roll_up_that_drifted(tx: Session) -> None:
    """Balances are believed only as far as the legs agree."""
    actions.post(tx, [make_posting()], now=NOW)
    for account, fen in (("5110", 101), ("2110", -101)):
        tx.execute(update(Balance).where(Balance.programme_id == PROGRAMME, Balance.account == account).values(fen=fen))

    proof = queries.prove_balance(tx, programme_id=PROGRAMME, partner_scope=None)

    assert (proof.total, proof.differing_balances, proof.unbalanced_entries, proof.balanced) == (0, 2, 0, False)


def test_the_proof_finds_an_entry_that_lost_a_leg(raw_owner: Session) -> None:
    """Who switches the triggers off is found out."""
    posting = make_posting()
    actions.post(raw_owner, [posting], now=NOW)
    raw_owner.execute(text("SET LOCAL session_replication_role = replica"))
    raw_owner.execute(text("DELETE FROM leg WHERE entry_id = :id AND line = 2"), {"id": posting.id})

    proof = queries.prove_balance(raw_owner, programme_id=PROGRAMME, partner_scope=None)

    assert (proof.total, proof.differing_balances, proof.unbalanced_entries, proof.balanced) == (100, 1, 1, False)


def test_the_proof_of_nothing_holds(tx: Session) -> None:
    """An empty ledger balances."""
    proof = queries.prove_balance(tx, programme_id=uuid4(), partner_scope=None)

    assert proof.balanced
    assert [(row.account, row.from_legs, row.from_balances) for row in proof.accounts] == [
        ("2110", 0, 0),
        ("5110", 0, 0),
    ]
