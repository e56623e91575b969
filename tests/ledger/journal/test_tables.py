from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.database.sessions import Database
from shared.ids import new_id
from tests.factories.ledger import FIRST_OF_JUNE, NOW, PARTNER, PROGRAMME
from tests.ledger.raw import Raw, refused, refused_state, wait_for_lock

LEGS = ((1, "5110", 100), (2, "2110", -100))
LEG = text("""
    INSERT INTO leg (entry_id, line, leg_count, account, partner_id, fen)
    VALUES (:entry_id, :line, :leg_count, :account, :partner_id, :fen)
""")
ENTRY = text("""
    INSERT INTO entry (id, programme_id, kind, source_type, source_id, source_version, reversal_of, leg_count,
                       effective_on, posted_at, currency)
    VALUES (:id, :programme_id, :kind, 'attendance', :source_id, :source_version, :reversal_of, :leg_count,
            :effective_on, :now, 'CNY')
""")
BOTH = """
    WITH legs AS (
        INSERT INTO leg (entry_id, line, leg_count, account, partner_id, fen)
        SELECT :id, * FROM unnest(CAST(:lines AS smallint[]), CAST(:counts AS smallint[]), CAST(:accounts AS text[]),
                                  CAST(:partners AS uuid[]), CAST(:fen AS bigint[]))
    )
    INSERT INTO entry (id, programme_id, kind, source_type, source_id, source_version, leg_count,
                       effective_on, posted_at, currency)
    VALUES (:id, :programme_id, 'accrual', 'attendance', :id, 1, :leg_count, :effective_on, :now, 'CNY')
"""


@dataclass
class Draft:
    """An entry as somebody might write it by hand."""

    legs: tuple[tuple[int, str, int], ...] = LEGS
    leg_count: int = 2
    id: UUID = field(default_factory=new_id)
    source_id: UUID = field(default_factory=uuid4)
    source_version: int = 1
    reversal_of: UUID | None = None
    programme_id: UUID = PROGRAMME
    partner_id: UUID = PARTNER
    effective_on: object = FIRST_OF_JUNE

    def write(self, tx: Session) -> UUID:
        for line in self.legs:
            tx.execute(LEG, self.leg(*line))
        kind = "accrual" if self.reversal_of is None else "reversal"
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in {"legs", "partner_id"}}
        tx.execute(ENTRY, values | {"kind": kind, "now": NOW})
        return self.id

    def leg(self, line: int, account: str, fen: int, *, leg_count: int | None = None) -> dict[str, Any]:
        return {
            "entry_id": self.id, "line": line, "leg_count": leg_count or self.leg_count,
            "account": account, "partner_id": self.partner_id, "fen": fen,
        }  # fmt: skip


def refused_draft(tx: Session, draft: Draft) -> str:
    return refused(tx, lambda: draft.write(tx))


def test_a_balanced_entry_is_taken(raw: Raw) -> None:
    """The guards let through what is right."""
    Draft().write(raw.tx)

    raw.tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


class TestBalance:
    @pytest.mark.parametrize(
        "draft",
        [
            Draft(legs=((1, "5110", 100), (2, "2110", -99))),
            Draft(legs=()),
            Draft(legs=((1, "5110", 100),)),
            Draft(leg_count=3),
            Draft(legs=((1, "5110", 100), (2, "2110", -50), (3, "2110", -50)), leg_count=4),
        ],
        ids=["unbalanced", "no legs", "one leg of two", "two legs of three", "three legs of four"],
    )
    def test_an_entry_has_all_its_legs_and_sums_to_zero(self, raw: Raw, draft: Draft) -> None:
        """Money neither appears nor vanishes."""
        assert refused_draft(raw.tx, draft) == "PC003"

    @pytest.mark.parametrize(
        "draft",
        [
            Draft(legs=((1, "5110", 100),), leg_count=1),
            Draft(legs=((0, "5110", 100), (1, "2110", -100))),
            Draft(legs=((1, "5110", 100), (3, "2110", -100))),
            Draft(legs=((1, "5110", 0), (2, "2110", 0))),
        ],
        ids=["one leg in all", "line 0", "a line left out", "no money"],
    )
    def test_its_lines_are_counted_from_one(self, raw: Raw, draft: Draft) -> None:
        """An entry is at least two lines, none missing, none empty."""
        assert refused_draft(raw.tx, draft) == "23514"

    def test_an_account_is_one_of_the_chart(self, raw: Raw) -> None:
        """Nobody books beside the books."""
        assert refused_draft(raw.tx, Draft(legs=((1, "5110", 100), (2, "9999", -100)))) == "23503"

    def test_legs_need_their_entry(self, raw: Raw) -> None:
        """Legs come first and may not stay alone."""
        draft = Draft()

        assert refused_state(raw.tx, LEG.text, draft.leg(1, "5110", 100)) == "23503"

    def test_one_statement_for_all_is_checked_as_well(self, raw: Raw) -> None:
        """The way the ledger itself posts has the same guards."""
        values = {
            "id": new_id(), "programme_id": PROGRAMME, "effective_on": FIRST_OF_JUNE, "now": NOW, "leg_count": 2,
            "lines": [1, 2, 3], "counts": [2, 2, 3], "accounts": ["5110", "2110", "2110"],
            "partners": [PARTNER] * 3, "fen": [100, -100, 7],
        }  # fmt: skip

        assert refused_state(raw.tx, BOTH, values) == "PC003"
        assert refused_state(raw.tx, BOTH, values | {"fen": [100, -107, 7]}) == "PC003"
        assert refused_state(raw.tx, BOTH, values | {"counts": [2, 2, 2]}) == "23514"

    def test_a_temporary_table_does_not_deceive_the_guard(self, raw: Raw) -> None:
        """A role without rights on the schema still has a schema of its own that is searched first."""
        draft = Draft(legs=())
        raw.tx.execute(text("CREATE TEMPORARY TABLE leg ON COMMIT DROP AS TABLE public.leg WITH NO DATA"))
        for line in LEGS:
            raw.tx.execute(text(LEG.text.replace("INTO leg", "INTO pg_temp.leg")), draft.leg(*line))

        assert refused_draft(raw.tx, draft) == "PC003"


class TestLateLegs:
    @pytest.mark.parametrize(("line", "leg_count"), [(3, 2), (3, 3), (2, 2), (1, 3)])
    def test_a_written_entry_gets_no_more_legs(self, raw: Raw, line: int, leg_count: int) -> None:
        """Every line that fits is taken, and no other fits."""
        draft = Draft()
        draft.write(raw.tx)

        assert refused_state(raw.tx, LEG.text, draft.leg(line, "2110", 7, leg_count=leg_count))[:2] == "23"

    def test_not_even_by_whoever_wrote_while_it_was_not_yet_visible(self, database: Database, programme: UUID) -> None:
        """Two transactions that do not see each other cannot unbalance an entry between them."""
        draft = Draft(programme_id=programme)
        ends: list[object] = []

        def add_a_leg(line: int, leg_count: int) -> None:
            try:
                with database.transaction() as tx:
                    tx.execute(LEG, draft.leg(line, "2110", 7, leg_count=leg_count))
                    written.join(timeout=10)
            except DBAPIError as refusal:
                ends.append(getattr(refusal.orig, "sqlstate", None))

        def write() -> None:
            with database.transaction() as tx:
                draft.write(tx)

        written = Thread(target=write)
        late = Thread(target=add_a_leg, args=(3, 3))
        with database.transaction() as tx:
            tx.execute(LEG, draft.leg(1, "5110", 100))
            written.start()
            wait_for_lock(database)
            late.start()
            tx.rollback()
        written.join(timeout=10)
        late.join(timeout=10)

        assert ends == ["23503"]


class TestAppendOnly:
    @pytest.mark.parametrize("table", ["entry", "leg"])
    @pytest.mark.parametrize("change", ["UPDATE {} SET leg_count = leg_count", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_the_past_stays(self, raw: Raw, table: str, change: str) -> None:
        """The runtime role has no right to, and the triggers stop whoever has."""
        expected = {"runtime role": "42501", "owner": "PC001"}

        assert refused_state(raw.tx, change.format(table)) == expected[raw.who]

    def test_the_runtime_role_does_not_write_the_chart(self, tx: Session) -> None:
        """Accounts come by migration."""
        assert refused_state(tx, "INSERT INTO account VALUES ('9999', '', '')") == "42501"


class TestReversal:
    NEGATED = ((1, "5110", -100), (2, "2110", 100))

    def reversal(self, of: Draft, **overrides: Any) -> Draft:
        values: dict[str, Any] = {
            "legs": self.NEGATED,
            "reversal_of": of.id,
            "source_id": of.source_id,
            "source_version": 2,
        }
        return Draft(**values | overrides)

    def test_undoes_its_original_once(self, raw: Raw) -> None:
        """What was taken back cannot be taken back again."""
        original = Draft()
        original.write(raw.tx)
        self.reversal(original).write(raw.tx)

        assert refused_draft(raw.tx, self.reversal(original, source_version=3)) == "23505"

    @pytest.mark.parametrize(
        "overrides",
        [
            {"legs": LEGS},
            {"legs": ((1, "5110", -99), (2, "2110", 99))},
            {"legs": ((1, "2110", 100), (2, "5110", -100))},
            {"legs": ((1, "5110", -100), (2, "2110", 50), (3, "2110", 50)), "leg_count": 3},
            {"partner_id": uuid4()},
            {"programme_id": uuid4()},
            {"source_id": uuid4()},
            {"effective_on": "2022-05-31"},
        ],
        ids=["same sign", "less", "swapped", "split", "partner", "programme", "source", "before its original"],
    )
    def test_is_the_exact_negation(self, raw: Raw, overrides: dict[str, Any]) -> None:
        """A correction by reversal leaves nothing behind."""
        original = Draft()
        original.write(raw.tx)

        assert refused_draft(raw.tx, self.reversal(original, **overrides)) == "PC004"

    def test_of_a_reversal_there_is_none(self, raw: Raw) -> None:
        """What was wrongly reversed is posted anew, not un-reversed."""
        original = Draft()
        original.write(raw.tx)
        reversal = self.reversal(original)
        reversal.write(raw.tx)

        assert refused_draft(raw.tx, self.reversal(reversal, legs=LEGS, source_version=3)) == "PC004"

    def test_comes_after_its_original(self, raw: Raw) -> None:
        """The order of ids is the order of the story."""
        early, original = new_id(), Draft()
        original.write(raw.tx)

        assert refused_draft(raw.tx, self.reversal(original, id=early)) == "23514"


def test_a_source_is_posted_once_per_version(raw: Raw) -> None:
    """Whatever the inbox forgets, the journal remembers."""
    first = Draft()
    first.write(raw.tx)

    assert refused_draft(raw.tx, Draft(source_id=first.source_id)) == "23505"
