"""What is found of that which is still to come."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import cast, literal, select
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from services.activities.listings.actions import NewListing, NewShift, publish, read_listings
from services.activities.listings.rules import Times
from services.activities.listings.tables import Listing, Shift
from services.activities.openings.queries import OPENINGS, openings_of
from services.activities.openings.rules import Day, Part
from services.activities.partners.tables import Partner
from services.activities.words.rules import Texts, query, vector
from shared.database.keyset import filtered
from shared.ids import new_id
from tests.activities.openings.season import analyse
from tests.activities.openings.season import publish as publish_season
from tests.explaining import nodes_of, plan_of
from tests.factories.activities import NINE, NOON, PROGRAMME, make_listing, make_partner, make_shift

BEFORE = NINE - timedelta(days=2)


def found(tx: Session, partner: Partner, **asked: Any) -> list[str]:
    """Return the references of what is found of a partner's, two days before the first of June."""
    rows = filtered(openings_of(PROGRAMME, partner.id, now=BEFORE), OPENINGS.filters, asked)
    listings = (tx.get_one(Listing, shift.listing_id) for shift in tx.scalars(rows.order_by(Shift.starts_at)))
    return [listing.reference for listing in listings]


def make_opening(tx: Session, partner: Partner, reference: str, **overrides: Any) -> Listing:
    shift = NewShift(1, Times(NINE, NOON), 5)
    values = {"title": "净滩", "timezone": "Asia/Shanghai", "shifts": (shift,)} | overrides
    return publish(tx, programme_id=PROGRAMME, listing=NewListing(partner.id, reference, **values), now=BEFORE)


class TestText:
    @pytest.fixture
    def partner(self, tx: Session) -> Partner:
        """Publish what the season was made of: one listing is looked for, another one is not."""
        partner = make_partner(tx, name="蓝海公益")
        about = "陪老人聊天，教他们用 Smartphone。"
        make_opening(
            tx, partner, "A", title="重庆敬老院 Day-Care", city="重庆", place="长江路 50%_号", description=about
        )
        make_opening(tx, partner, "B", title="海边净滩", city="厦门", place="环岛路")
        while read_listings(tx):
            pass
        return partner

    @pytest.mark.parametrize(
        "asked",
        [
            "敬老", "敬", "敬老院", "老院", "jinglao", "JingLaoYuan", "laoyuan", "jl", "chongqing", "cq", "day",
            "\uff23\uff21re", "dAy-cAre", "changjianglu", "长江路", "50", "聊天", "liaotian", "smart", "敬老 cq",
            "敬老,day", "jing lao", "敬老院%", "'敬老'", "敬老\\", "_敬老_", '"敬老"', "敬老:*&!()|<->",
        ],
    )  # fmt: skip
    def test_parts_of_what_it_says_find_it(self, tx: Session, partner: Partner, asked: str) -> None:
        """In Chinese, as it is read, by initials, in Latin letters; signs are no operators."""
        assert found(tx, partner, text=asked) == ["A"]

    @pytest.mark.parametrize(
        "asked",
        [
            "老敬", "敬院", "院海", "inglao", "敬老 净滩", "敬老 surfing", "冲浪", "lt", "zhongqing", "are", "敬" * 300,
            "！", "%", "_", "'", "\\", " ",
        ],
    )  # fmt: skip
    def test_what_is_not_there_finds_nothing(self, tx: Session, partner: Partner, asked: str) -> None:
        """Characters in another order, the middle of a syllable or word, one word of two, signs alone."""
        assert found(tx, partner, text=asked) == []

    @pytest.mark.parametrize("asked", ["蓝海", "lanhai", "lh", "g", "公"])
    def test_a_partners_name_finds_all_of_its(self, tx: Session, partner: Partner, asked: str) -> None:
        """Soonest first, as everything."""
        assert found(tx, partner, text=asked) == ["A", "B"]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=80))
def test_whatever_somebody_writes_is_found_by_itself(tx: Session, said: str) -> None:
    """No text is an error, in a listing or in a question; what holds a letter or digit finds where it stands."""
    made = vector(Texts((said,)))
    asked = query(said)
    rows = select(cast(literal(made), TSVECTOR).op("@@")(cast(literal(asked), TSQUERY)))
    assert tx.execute(rows).scalar_one() is bool(asked)

    listed = filtered(openings_of(PROGRAMME, None, now=BEFORE), OPENINGS.filters, {"text": said})
    tx.scalars(listed.limit(1)).all()


class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"skill": "reading"}, ["A"]),
            ({"skill": "read"}, []),
            ({"mode": "online"}, ["B"]),
            ({"city": "上海"}, ["A"]),
            ({"city": "上海市"}, ["A"]),
            ({"city": "厦门"}, ["B"]),
            ({"city": "海"}, []),
            ({"skill": "reading", "city": "厦门"}, []),
        ],
    )
    def test_a_listing_is_limited_by_what_it_is(
        self, tx: Session, asked: dict[str, Any], expected: list[str]
    ) -> None:  # fmt: skip
        """All of what is asked holds; a city is the same with and without its suffix."""
        partner = make_partner(tx)
        make_opening(tx, partner, "A", skills=("driving", "reading"), mode="on_site", city="上海 ")
        make_opening(tx, partner, "B", mode="online", city="厦门市")

        assert found(tx, partner, **asked) == expected

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"day": Day.WEEKDAY}, ["A", "C"]),
            ({"day": Day.WEEKEND}, ["B"]),
            ({"part": Part.MORNING}, ["A", "B"]),
            ({"part": Part.EVENING}, ["C"]),
            ({"part": Part.AFTERNOON}, []),
            ({"starts_from": NINE + timedelta(hours=1)}, ["B", "C"]),
            ({"starts_until": NINE + timedelta(hours=1)}, ["A"]),
            ({"has_room": True}, ["A", "C"]),
            ({"has_room": False}, ["B"]),
        ],
    )
    def test_a_shift_is_limited_by_when_it_is(
        self, tx: Session, asked: dict[str, Any], expected: list[str]
    ) -> None:  # fmt: skip
        """As clocks show it where it is: nine in the morning in Shanghai is another day in Honolulu."""
        partner = make_partner(tx)
        saturday = NINE + timedelta(days=3)
        honolulu = saturday + timedelta(days=3, hours=4)  # Monday at seven in the evening.
        for reference, starts_at, timezone in (
            ("A", NINE, "Asia/Shanghai"), ("B", saturday, "Asia/Shanghai"), ("C", honolulu, "Pacific/Honolulu"),
        ):  # fmt: skip
            shift = NewShift(1, Times(starts_at, starts_at + timedelta(hours=2)), 5)
            made = make_opening(tx, partner, reference, shifts=(shift,), timezone=timezone)
            if reference == "B":
                (row,) = tx.scalars(openings_of(PROGRAMME, partner.id, now=BEFORE).where(Listing.id == made.id))
                row.taken = row.capacity
        tx.flush()

        assert found(tx, partner, **asked) == expected


@pytest.mark.parametrize(
    "overrides",
    [
        {"starts_at": BEFORE},
        {"state": "running"},
        {"state": "cancelled", "cancelled_because": "storm"},
        {"state": "no_go", "cancelled_because": "few"},
        {"closed_at": BEFORE},
    ],
)
def test_what_takes_nobody_any_more_is_no_opening(tx: Session, overrides: dict[str, Any]) -> None:
    """Begun, called off, or closed; full ones have a line and are found."""
    partner = make_partner(tx)
    open_listing = make_listing(tx, partner_id=partner.id, reference="open")
    make_shift(tx, listing=open_listing, capacity=1, taken=1)
    shift = {"starts_at": NINE, "ends_at": BEFORE + timedelta(hours=3)} if "starts_at" in overrides else {}
    make_shift(tx, listing=make_listing(tx, partner_id=partner.id), **shift | overrides)

    assert found(tx, partner) == ["open"]


def test_of_a_listing_that_has_ended_nothing_is_open(tx: Session) -> None:
    """Whatever its shifts say."""
    partner = make_partner(tx)
    ended = {"state": "cancelled", "ended_at": BEFORE, "cancelled_because": "storm"}
    make_shift(tx, listing=make_listing(tx, partner_id=partner.id, **ended))

    assert found(tx, partner) == []


def test_the_index_is_used_at_size(tx: Session) -> None:
    """Of thousands of listings those that hold rare words are looked up, not gone through."""
    programme_id = new_id()
    publish_season(tx, programme_id=programme_id, listings=3_000, now=BEFORE)
    analyse(tx)

    for asked in ("冲浪", "hf", "chonglang", "敬老院 冲浪"):
        rows = filtered(openings_of(programme_id, None, now=BEFORE), OPENINGS.filters, {"text": asked})
        nodes = list(nodes_of(plan_of(tx, OPENINGS.order("starts_at").sorted(rows).limit(51))))
        assert "listing_words_words_idx" in [node.get("Index Name") for node in nodes], asked
        assert ("Seq Scan", "listing_words") not in [(node["Node Type"], node.get("Relation Name")) for node in nodes]
