from typing import Any
from uuid import UUID

import pytest

from services.ledger.journal import actions
from shared.database.sessions import Database
from shared.roles import Role
from tests.factories.ledger import NOW, OTHER_PARTNER, PARTNER
from tests.ledger.door import Door, csv_rows, walked
from tests.ledger.journal.test_actions import make_posting


@pytest.fixture(autouse=True)
def _posted(database: Database, programme: UUID) -> None:
    with database.transaction() as tx:
        actions.post(tx, [make_posting(100, programme_id=programme)], now=NOW)
        actions.post(tx, [make_posting(7, programme_id=programme, partner_id=OTHER_PARTNER)], now=NOW)


def test_balances_are_money_with_debits_positive(door: Door) -> None:
    """What is payable to a partner stands as a credit."""
    answer = door.get("/balances", account="2110", partner_id=PARTNER)

    assert answer.json() == {
        "items": [
            {
                "account": "2110",
                "zh": "应付配捐款",
                "en": "Payable to partners, accrued",
                "partner_id": str(PARTNER),
                "balance": {"currency": "CNY", "fen": -100},
            }
        ],
        "next": None,
    }


def test_pages_join_without_a_gap(door: Door) -> None:
    """Each balance is on one page."""
    seen = [(row["account"], row["balance"]["fen"]) for row in walked(door, "/balances", limit=1)]

    assert seen == [("2110", -100), ("2110", -7), ("5110", 100), ("5110", 7)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"cursor": "2110"}, "broken_cursor"),
        ({"after": "2110"}, "invalid_input"),
        ({"account": "x"}, "invalid_input"),
        ({"limit": 201}, "invalid_input"),
    ],
)
def test_an_unusable_question_is_refused(door: Door, query: dict[str, Any], code: str) -> None:
    """Never answered with something else."""
    answer = door.get("/balances", **query)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_partner_sees_its_own_balances_only(door: Door) -> None:
    """Also when it asks for another's."""
    own = door.get("/balances", Role.PARTNER, acting_for=OTHER_PARTNER).json()
    other = door.get("/balances", Role.PARTNER, acting_for=OTHER_PARTNER, partner_id=PARTNER).json()

    assert [row["balance"]["fen"] for row in own["items"]] == [-7, 7]
    assert other["items"] == []


def test_the_trial_balance_says_whether_the_books_balance(door: Door) -> None:
    """With the sums that show it, from both sources."""
    assert door.get("/trial-balance", Role.AUDITOR).json() == {
        "accounts": [
            {
                "account": account,
                "zh": zh,
                "en": en,
                "from_legs": {"currency": "CNY", "fen": fen},
                "from_balances": {"currency": "CNY", "fen": fen},
            }
            for account, zh, en, fen in (
                ("2110", "应付配捐款", "Payable to partners, accrued", -107),
                ("5110", "配捐支出", "Matching expense", 107),
            )
        ],
        "total": {"currency": "CNY", "fen": 0},
        "differing_balances": 0,
        "unbalanced_entries": 0,
        "differing_totals": 0,
        "balanced": True,
    }


def test_a_partners_trial_balance_is_its_own(door: Door) -> None:
    """Each partner's side of every entry sums to zero as well."""
    answer = door.get("/trial-balance", Role.PARTNER, acting_for=OTHER_PARTNER).json()

    assert [row["from_legs"]["fen"] for row in answer["accounts"]] == [-7, 7]
    assert answer["balanced"] is True


@pytest.mark.parametrize("path", ["/balances", "/trial-balance"])
@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.OPERATOR, Role.REVIEWER, Role.FUNDER, Role.OPS, Role.ADMIN])
def test_who_has_nothing_to_do_with_the_books_does_not_see_them(door: Door, path: str, role: Role) -> None:
    """Balances are for finance, the auditor and the partner itself."""
    assert door.get(path, role).json()["code"] == "missing_permission"


def test_balances_and_the_trial_balance_are_files(door: Door) -> None:
    """Yuan to the fen, credits negative; the columns of a trial balance add up to nothing."""
    balances = csv_rows(door.get("/balances", format="csv", account="2110"))
    trial = csv_rows(door.get("/trial-balance", format="csv"))

    assert [row["Balance (CNY)"] for row in balances] == ["-1.00", "-0.07"]
    assert [(row["Account"], row["From the journal (CNY)"]) for row in trial] == [("2110", "-1.07"), ("5110", "1.07")]
    assert door.get("/trial-balance", format="xlsx").content.startswith(b"PK")
    assert door.get("/trial-balance", limit=5).status_code == 422
