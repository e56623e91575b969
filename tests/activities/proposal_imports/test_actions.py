from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.proposal_imports.jobs import PROPOSALS
from services.activities.proposals.queries import list_versions
from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from shared.database.sessions import Database
from shared.events.activities_proposals import ProposalSubmitted
from tests.activities.proposed import emitted
from tests.activities.racing import held
from tests.activities.sheets import FORMS, brought, codes, commit, commit_by_id, good, sheet, stage
from tests.factories.activities import PROGRAMME, REVIEWER, make_partner, make_round
from tests.factories.proposals import make_proposal

TEXT = "和社区居民一起清理海滩上的塑料垃圾，分类称重并记录数据，帮助孩子们认识海洋保护。"
ROW = (
    "A1", "P1", 1, "社区净滩行动", TEXT, "现场", "厦门", "环岛路沙滩", "清理员:20", "体力；分类", "2022-06-15 09:00",
    "2022-06-15 12:00", 20, 5, "烈日", "意外险", "急救包", "现场讲解", "", "", "", "",
)  # fmt: skip
SECOND = (*ROW[:10], "2022-06-16 09:00", "2022-06-16 12:00", *ROW[12:])
CRAFT = ("A2", "P1", 1, "编织毛线帽子", TEXT, "craft", "", "", "编织者:20", "", *ROW[10:15], "", *ROW[16:18], "", "",
         "毛线和针", 3_000)  # fmt: skip


def changed(row: tuple[object, ...], change: dict[int, object]) -> tuple[object, ...]:
    return tuple(change.get(place, cell) for place, cell in enumerate(row))


def brought_in(tx: Session) -> list[Proposal]:
    rows = select(Proposal).where(Proposal.programme_id == PROGRAMME, Proposal.external_reference.is_not(None))
    return list(tx.scalars(rows.order_by(Proposal.number)))


class TestProposals:
    @FORMS
    def test_proposals_are_handed_in_once(self, tx: Session, ending: str, *, english: bool) -> None:
        """On their partner's behalf, with a version and an event each; the same sheet again hands in nothing."""
        partner, call = make_partner(tx, reference="P1"), make_round(tx)
        make_proposal(tx, call=call)
        content = sheet(PROPOSALS, ROW, SECOND, CRAFT, ending=ending, english=english)

        first = commit(tx, stage(tx, PROPOSALS, content, file_name=f"a.{ending}"))
        again = commit(tx, stage(tx, PROPOSALS, content, file_name=f"a.{ending}"))

        assert (brought(first), brought(again)) == ((3, 0, 0), (0, 0, 3))
        one, two = brought_in(tx)
        assert (one.external_reference, one.number, two.external_reference, two.number) == ("A1", 2, "A2", 3)
        assert (one.state, one.partner_id, one.round_id, one.submitted_by) == (
            State.SUBMITTED, partner.id, call.id, REVIEWER,
        )  # fmt: skip
        assert (len(one.content.shifts), one.content.kit, two.mode) == (2, None, "craft")
        [version] = list_versions(tx, two.id)
        assert (version.is_on_behalf, version.content) == (True, two.content)
        assert version.findings == [["insurance", "insurance_unsaid"]]
        told = [each for each in emitted(tx) if isinstance(each, ProposalSubmitted)]
        assert [(each.proposal_id, each.submission, each.is_on_behalf) for each in told] == [
            (one.id, 1, True), (two.id, 1, True),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ({1: "P9"}, [("B2", "unknown")]),
            ({2: 9}, [("C2", "unknown")]),
            ({5: "空中"}, [("F2", "unknown_choice")]),
            ({8: "清理员"}, [("I2", "bad_positions")]),
            ({10: "2022-06-01"}, [("K2", "not_an_instant")]),
            ({11: "2022-06-15 09:00"}, [("L2", "shift_times_wrong")]),
            ({13: 21}, [("M2", "capacity_below_minimum")]),
            ({14: ""}, [("O2", "blank")]),
            ({15: ""}, [("P2", "no_insurance")]),
            ({4: f"{TEXT}电话13812345678"}, [("E2", "personal_contact")]),
        ],
    )
    def test_what_is_wrong_is_told_by_cell(
        self, tx: Session, change: dict[int, object], found: list[tuple[str, str]]
    ) -> None:
        """Cells are read first, then judged together."""
        make_partner(tx, reference="P1")
        make_round(tx)
        staged = stage(tx, PROPOSALS, sheet(PROPOSALS, changed(ROW, change)))
        assert (good(staged), codes(staged)) == (0, found)

    def test_a_proposal_comes_whole_or_not_at_all(self, tx: Session) -> None:
        """The good rows of a bad one are left out with it."""
        make_partner(tx, reference="P1")
        make_round(tx)
        staged = stage(tx, PROPOSALS, sheet(PROPOSALS, ROW, changed(SECOND, {13: 21}), CRAFT))
        assert (good(staged), codes(staged)) == (1, [("A2", "wrong_elsewhere"), ("M3", "capacity_below_minimum")])

        commit(tx, staged, skip_rejected=True)

        assert [each.external_reference for each in brought_in(tx)] == ["A2"]


def test_of_two_sheets_at_once_one_hands_in(database: Database, programme: UUID) -> None:
    """The second waits for the first, and finds everything there."""
    with database.transaction() as tx:
        make_partner(tx, reference="P1", programme_id=programme)
        make_round(tx, programme_id=programme)
        staged: list[Any] = [stage(tx, PROPOSALS, sheet(PROPOSALS, ROW), programme_id=programme).id for _ in range(2)]

    def bring(tx: Session, import_id: UUID) -> Any:
        return commit_by_id(tx, import_id, programme_id=programme)

    def bring_too() -> Any:
        with database.transaction() as tx:
            return brought(bring(tx, staged[1]))

    with held(database, lambda tx: bring(tx, staged[0])) as start:
        second = start(bring_too)
    assert second.result() == (0, 0, 1)
    with database.transaction() as tx:
        assert len(tx.scalars(select(Proposal).where(Proposal.programme_id == programme)).all()) == 1


def test_the_example_is_never_taken(tx: Session) -> None:
    """Though it is whole."""
    make_partner(tx, reference="EXAMPLE-P1")
    make_round(tx, number=12)
    staged = stage(tx, PROPOSALS, sheet(PROPOSALS, *PROPOSALS.examples))
    assert good(staged) == 0
