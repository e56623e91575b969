from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.activities.checklists.rules import Deliverable, Kit, Mode, Position
from services.activities.partners.rules import Footing
from services.activities.proposal_imports import rules
from services.activities.proposal_imports.rules import (
    KnownPartner,
    KnownProposal,
    KnownRound,
    ProposalFacts,
    ProposalRow,
    groups,
)
from services.activities.proposals.rules import Deadlines
from shared.ids import new_id
from shared.imports.judging import Effect
from tests.activities.sheets import CASE, told
from tests.factories.activities import NINE
from tests.factories.proposals import DAY, LATER

HOUR = timedelta(hours=1)
CALL = KnownRound(new_id(), Deadlines(NINE, NINE + 3 * DAY, NINE + 4 * DAY), NINE + 5 * DAY)
PARTNER = KnownPartner(new_id(), Footing(date(2022, 1, 1)))
TEXT = "和社区居民一起清理海滩上的塑料垃圾，分类称重并记录，帮助孩子认识海洋保护。"
ROW = ProposalRow(
    "A1", "P1", 1, "社区净滩行动", TEXT, Mode.ON_SITE, "厦门", "环岛路沙滩", "清理员:15；称重员：5", "体力;分类",
    LATER, LATER + 3 * HOUR, 20, 5, "烈日", "意外险", "急救包", "现场讲解", None, None, None, None,
)  # fmt: skip
SECOND = ROW._replace(starts_at=LATER + DAY, ends_at=LATER + DAY + HOUR, capacity=10)


def facts(
    *, call: KnownRound = CALL, partner: KnownPartner = PARTNER, known: Mapping[str, KnownProposal] | None = None,
    made: Mapping[tuple[UUID, UUID], int] | None = None,
) -> ProposalFacts:  # fmt: skip
    return ProposalFacts({"P1": partner}, {1: call}, known or {}, made or {})


def judge(*rows: ProposalRow, **known: Any) -> dict[int, dict[str, str]]:
    return told(rules.judge(CASE, rows, facts(**known)).objections)


class TestContent:
    def test_rows_of_one_reference_are_one_proposal(self) -> None:
        """With a shift each, in the order of the sheet, wherever they stand."""
        other = ROW._replace(proposal_reference="A2")

        first, second = groups([ROW, other, SECOND])

        content = first.content("Asia/Shanghai")
        assert (first.places, second.places) == ((0, 2), (1,))
        assert [each.starts_at for each in content.shifts] == [LATER, LATER + DAY]
        skills = ("体力", "分类")
        assert content.positions == (Position("清理员", 15, skills), Position("称重员", 5, skills))
        assert (content.deliverable, content.kit, content.timezone) == (None, None, "Asia/Shanghai")

    def test_terms_are_there_if_any_of_their_cells_is(self) -> None:
        """So that the checklist can ask for the rest."""
        [group] = groups([ROW._replace(criteria="合格", kit_ceiling_fen=0)])
        content = group.content("UTC")
        assert (content.deliverable, content.kit) == (Deliverable("合格"), Kit("", 0))

    @pytest.mark.parametrize("cell", ["清理员", "清理员:0", ":5", "清理员:5、称重员:2", "；", "清理员:五"])
    def test_positions_that_cannot_be_read_are_told(self, cell: str) -> None:
        """Nothing is guessed."""
        assert judge(ROW._replace(positions=cell)) == {0: {"positions": "bad_positions"}}


class TestJudge:
    def test_a_whole_proposal_is_new(self) -> None:
        """All of its rows."""
        verdict = rules.judge(CASE, [ROW, SECOND], facts())
        assert (verdict.objections, verdict.effects) == ({}, [Effect.CREATE, Effect.CREATE])

    def test_one_bad_row_keeps_the_whole_proposal_back(self) -> None:
        """Half of one is none; other proposals of the sheet are as good as ever."""
        bad = SECOND._replace(capacity=4)
        assert judge(ROW, bad, ROW._replace(proposal_reference="A2")) == {
            0: {"proposal_reference": "wrong_elsewhere"}, 1: {"capacity": "capacity_below_minimum"},
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "objection"),
        [
            ({"partner_reference": "P9"}, {"partner_reference": "unknown"}),
            ({"round_number": 9}, {"round_number": "unknown"}),
            ({"title": "净滩"}, {"title": "title_too_short"}),
            ({"description": "净滩"}, {"description": "description_too_short"}),
            ({"place": None}, {"place": "no_place"}),
            ({"insurance": None}, {"insurance": "no_insurance"}),
            ({"insurance": None, "mode": Mode.CRAFT, "kit_contents": "线", "kit_ceiling_fen": 1}, {}),
            ({"mode": Mode.CRAFT}, {"kit_contents": "no_kit"}),
            ({"mode": Mode.CRAFT, "kit_contents": "线"}, {"kit_ceiling_fen": "kit_without_ceiling"}),
            ({"mode": Mode.CRAFT, "kit_ceiling_fen": 1}, {"kit_contents": "no_kit"}),
            ({"mode": Mode.ONLINE, "criteria": "合格"}, {"minutes_per_piece": "criteria_without_minutes"}),
            ({"mode": Mode.ONLINE, "minutes_per_piece": 60}, {"criteria": "minutes_without_criteria"}),
            ({"starts_at": NINE, "ends_at": NINE + HOUR}, {"starts_at": "shift_in_the_past"}),
            (
                {"starts_at": NINE + 5 * DAY, "ends_at": NINE + 5 * DAY + HOUR},
                {"starts_at": "shift_before_publication"},
            ),
            ({"ends_at": LATER}, {"ends_at": "shift_times_wrong"}),
            ({"briefing": "致电 13812345678"}, {"briefing": "personal_contact"}),
            ({"positions": "小王13812345678:20"}, {"positions": "personal_contact"}),
        ],
    )
    def test_what_blocks_is_told_by_column(self, change: dict[str, Any], objection: dict[str, str]) -> None:
        """As the automatic checklist finds it; warnings are none."""
        assert judge(ROW._replace(**change)) == ({0: objection} if objection else {})

    def test_the_rows_of_a_proposal_say_the_same(self) -> None:
        """Where one does not, its cell is named."""
        assert judge(ROW, SECOND._replace(title="种树活动", city="上海")) == {
            0: {"proposal_reference": "wrong_elsewhere"},
            1: {"title": "differs_within_proposal", "city": "differs_within_proposal"},
        }
        assert judge(ROW, ROW) == {
            0: {"proposal_reference": "wrong_elsewhere"}, 1: {"starts_at": "shift_repeated"},
        }  # fmt: skip

    def test_the_round_takes_proposals_now(self) -> None:
        """CASE is at eight in the evening of the first day."""
        over = CALL._replace(deadlines=replace(CALL.deadlines, closes_at=CASE.now))
        assert judge(ROW, call=over) == {0: {"round_number": "submission_closed"}}

    @pytest.mark.parametrize(
        ("footing", "code"),
        [
            (Footing(date(2022, 1, 1), standing="suspended"), "partner_barred"),
            (Footing(date(2022, 6, 2)), "no_agreement_in_force"),
            (Footing(date(2022, 1, 1), paused_from=date(2022, 6, 1)), "partner_paused"),
        ],
    )
    def test_the_partner_may_propose(self, footing: Footing, code: str) -> None:
        """By its agreement, pause and standing on the local day."""
        assert judge(ROW, partner=PARTNER._replace(footing=footing)) == {0: {"partner_reference": code}}

    def test_a_quota_counts_the_sheet_as_well(self) -> None:
        """In its order; what is bad takes no place."""
        partner = PARTNER._replace(footing=Footing(date(2022, 1, 1), weekly_quota=3))
        rows = [ROW._replace(proposal_reference=f"A{number}") for number in range(4)]
        rows[0] = rows[0]._replace(risks=" ")
        made = {(CALL.id, PARTNER.id): 1}

        assert judge(*rows, partner=partner, made=made) == {
            0: {"risks": "no_risks"}, 3: {"partner_reference": "quota_used_up"},
        }  # fmt: skip


class TestKnown:
    def known(self, **changes: Any) -> dict[str, KnownProposal]:
        [group] = groups([ROW, SECOND])
        return {"A1": replace_known(KnownProposal(PARTNER.id, CALL.id, group.content(CASE.timezone)), changes)}

    def test_what_was_brought_is_skipped_even_when_the_round_is_over(self) -> None:
        """The same sheet again is no error."""
        over = CALL._replace(deadlines=replace(CALL.deadlines, closes_at=CASE.now))
        verdict = rules.judge(CASE, [ROW, SECOND], facts(known=self.known(), call=over))
        assert (verdict.objections, verdict.effects) == ({}, [Effect.SKIP, Effect.SKIP])

    @pytest.mark.parametrize("changes", [{"partner_id": new_id()}, {"round_id": new_id()}, {"title": "种树活动"}])
    def test_a_sheet_changes_nothing(self, changes: dict[str, Any]) -> None:
        """Who wants something else edits the proposal."""
        assert judge(ROW, SECOND, known=self.known(**changes)) == {
            0: {"proposal_reference": "differs_from_record"}, 1: {"proposal_reference": "wrong_elsewhere"},
        }  # fmt: skip


def replace_known(known: KnownProposal, changes: dict[str, Any]) -> KnownProposal:
    title = changes.pop("title", known.content.title)
    return known._replace(content=replace(known.content, title=title), **changes)
