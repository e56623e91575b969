from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.listings.tables import Listing, Shift
from services.activities.shift_imports.jobs import SHIFTS
from tests.activities.sheets import (
    FORMS,
    SHIFT_ROWS,
    bring,
    brought,
    codes,
    commit,
    good,
    sheet,
    stage,
)
from tests.factories.activities import (
    FIRST_OF_JUNE,
    PROGRAMME,
    at,
    make_partner,
)


class TestShifts:
    @FORMS
    def test_activities_are_published_once(self, tx: Session, ending: str, *, english: bool) -> None:
        """With local dates; the same sheet again publishes nothing."""
        partner = make_partner(tx, reference="P1")
        content = sheet(SHIFTS, *SHIFT_ROWS, ending=ending, english=english)

        first = commit(tx, stage(tx, SHIFTS, content, file_name=f"a.{ending}"))
        again = commit(tx, stage(tx, SHIFTS, content, file_name=f"a.{ending}"))

        assert (brought(first), brought(again)) == ((3, 0, 0), (0, 0, 3))
        rows = tx.execute(
            select(Listing.reference, Listing.title, Shift.number, Shift.service_on, Shift.capacity)
            .join(Shift, Shift.listing_id == Listing.id)
            .where(Listing.partner_id == partner.id)
            .order_by(Listing.reference, Shift.number)
        )
        assert [tuple(row) for row in rows] == [
            ("L1", "净滩", 1, FIRST_OF_JUNE, 10),
            ("L1", "净滩", 2, date(2022, 6, 2), 20),
            ("L2", "种树", 1, FIRST_OF_JUNE, 10),
        ]

    def test_a_listing_grows_by_a_later_sheet(self, tx: Session) -> None:
        """In its own time zone, whatever zone the sheet's times are in."""
        make_partner(tx, reference="P1")
        bring(tx, SHIFTS, SHIFT_ROWS[0])
        late = ("P1", "L1", "净滩", 2, "2022-06-01 16:00", "2022-06-01 18:00", 10)

        staged = stage(tx, SHIFTS, sheet(SHIFTS, late), timezone="UTC")

        assert brought(commit(tx, staged)) == (1, 0, 0)
        rows = tx.execute(
            select(Listing.timezone, Shift.starts_at, Shift.service_on)
            .join(Shift, Shift.listing_id == Listing.id)
            .where(Listing.programme_id == PROGRAMME, Shift.number == 2)
        )
        assert [tuple(row) for row in rows] == [("Asia/Shanghai", at(24), date(2022, 6, 2))]

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ({0: "P9"}, [("A2", "unknown")]),
            ({3: "eins"}, [("D2", "not_a_number")]),
            ({3: "1.5"}, [("D2", "not_whole")]),
            ({3: 0}, [("D2", "out_of_range")]),
            ({4: "2022-13-40 09:00"}, [("E2", "not_an_instant")]),
            ({4: "2022-06-01"}, [("E2", "not_an_instant")]),
            ({4: "2022-06-01 09:00:30"}, [("E2", "not_whole_minutes")]),
            ({5: "2022-06-01 09:00"}, [("F2", "bad_times")]),
            ({5: "2022-06-02 10:00"}, [("F2", "bad_times")]),
            ({6: "=10"}, [("G2", "formula")]),
            ({0: "P9", 2: "", 6: ""}, [("C2", "blank"), ("G2", "blank")]),
        ],
    )
    def test_what_is_wrong_is_told_by_cell(
        self, tx: Session, change: dict[int, object], found: list[tuple[str, str]]
    ) -> None:
        """Cells are read first, then compared with what is known."""
        make_partner(tx, reference="P1")
        row = tuple(change.get(place, cell) for place, cell in enumerate(SHIFT_ROWS[0]))
        staged = stage(tx, SHIFTS, sheet(SHIFTS, row))
        assert (good(staged), codes(staged)) == (0, found)
