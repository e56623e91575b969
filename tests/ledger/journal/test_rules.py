from services.ledger.journal.rules import Account, Leg, negated, owed
from tests.factories.ledger import PARTNER


def test_what_is_owed_is_expense_and_payable() -> None:
    """Debits are positive; the two sum to zero."""
    assert owed(partner_id=PARTNER, fen=100) == (
        Leg(Account.MATCHING_EXPENSE, PARTNER, 100),
        Leg(Account.PAYABLE_ACCRUED, PARTNER, -100),
    )


def test_negated_twice_is_the_same() -> None:
    """Only the signs change."""
    legs = owed(partner_id=PARTNER, fen=100)

    assert [leg.fen for leg in negated(legs)] == [-100, 100]
    assert negated(negated(legs)) == legs
