"""Whether a ledger of others is believed."""

from uuid import UUID

import pytest

from tests.bench.bookkeepers import agrees
from tests.factories.ledger import make_settled

ONE, OTHER = UUID(int=1), UUID(int=2)
FACTS = [make_settled(partner_id=ONE, minutes=60), make_settled(partner_id=OTHER, minutes=120)]
RIGHT = {"owed": {str(ONE): 10_000, str(OTHER): 20_000}, "expense": 30_000, "transactions": 2}


def test_right_balances_are_believed() -> None:
    """To the fen."""
    assert agrees(RIGHT, FACTS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"owed": {str(ONE): 20_000, str(OTHER): 10_000}},
        {"owed": {str(ONE): 10_000}},
        {"expense": 30_001},
        {"transactions": 3},
    ],
)
def test_anything_else_is_not(wrong: dict[str, object]) -> None:
    """Amounts with another partner, a partner without any, an expense that nobody is owed, a transaction too many."""
    assert not agrees(RIGHT | wrong, FACTS)
