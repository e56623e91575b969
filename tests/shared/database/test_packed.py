"""Arrays in PostgreSQL's binary format: what the server reads is what was packed."""

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DataError

from shared.database import packed
from shared.database.server import Server
from shared.database.sessions import Database

FIRST, LAST = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001  In UTC; Python knows no others.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
KINDS: dict[str, tuple[Callable[[Any], packed.Packed], st.SearchStrategy[Any]]] = {
    "uuid": (packed.uuids, st.none() | st.uuids()),
    "int2": (packed.small_integers, st.integers(-(2**15), 2**15 - 1)),
    "int4": (packed.integers, st.integers(-(2**31), 2**31 - 1)),
    "int8": (packed.big_integers, st.integers(-(2**63), 2**63 - 1)),
    "text": (packed.texts, TEXT),
    "bytea": (packed.bodies, st.none() | st.binary()),
    "timestamptz": (packed.instants, st.datetimes(FIRST, LAST, timezones=st.just(UTC))),
    "date": (packed.dates, st.dates(date(1, 1, 1), date(9999, 12, 31))),
}


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[Database]:
    found = Database(server.url, role="postgres", pool_size=1)
    yield found
    found.close()


def read_back(database: Database, kind: str, array: packed.Packed) -> Sequence[Any]:
    """Ask the server what it was given, as psycopg reads it."""
    with database.transaction() as tx:
        found: Sequence[Any] = tx.execute(text(f"SELECT CAST(:array AS {kind}[])"), {"array": array}).scalar_one()
        return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_server_reads_what_was_packed(kind: str, database: Database) -> None:
    """Whatever the values are: none of them, missing ones, the least and the greatest, any script."""
    pack, values_of = KINDS[kind]

    @settings(deadline=None)  # A server that others use as well answers when it can.
    @given(st.lists(values_of))
    def round_trip(values: list[Any]) -> None:
        assert read_back(database, kind, pack(values)) == values

    round_trip()


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_goes_into_unnest_as_any_other(kind: str, database: Database) -> None:
    """That is what they are for; none gives no rows."""
    pack, _ = KINDS[kind]
    with database.transaction() as tx:
        asked = text(f"SELECT count(*) FROM unnest(CAST(:array AS {kind}[]))")  # noqa: S608  Our own names.
        found = tx.execute(asked, {"array": pack([])})
        assert found.scalar_one() == 0


def test_an_instant_of_another_zone_is_the_same_instant(database: Database) -> None:
    """And one without a zone is none."""
    nine = datetime(2022, 6, 1, 9, tzinfo=timezone(timedelta(hours=8)))

    assert read_back(database, "timestamptz", packed.instants([nine])) == [nine]
    with pytest.raises(TypeError):
        packed.instants([nine.replace(tzinfo=None)])


def test_a_text_that_looks_like_a_missing_element_is_a_text(database: Database) -> None:
    """The mark of a missing element is a length, which no element's own bytes can be taken for."""
    bodies = [b"\xff\xff\xff\xff", b"", b"\\x00", b"NULL"]

    assert read_back(database, "bytea", packed.bodies(bodies)) == bodies
    assert read_back(database, "text", packed.texts(["NULL", "", '"', "{}", "\\"])) == ["NULL", "", '"', "{}", "\\"]


@pytest.mark.parametrize(
    ("pack", "value"),
    [(packed.small_integers, 2**15), (packed.integers, -(2**31) - 1), (packed.big_integers, 2**63)],
    ids=["int2", "int4", "int8"],
)
def test_a_number_that_does_not_fit_is_refused(pack: Callable[[list[int]], packed.Packed], value: int) -> None:
    """Nothing is cut off."""
    with pytest.raises(struct.error):
        pack([value])


def test_a_null_character_is_refused_by_the_server(database: Database) -> None:
    """As in any other text."""
    with pytest.raises(DataError):
        read_back(database, "text", packed.texts(["a\0b"]))


def test_ids_that_are_missing_keep_their_places(database: Database) -> None:
    """Columns of one statement are read side by side."""
    ids = [None, UUID(int=1), None, UUID(int=2**128 - 1)]

    assert read_back(database, "uuid", packed.uuids(ids)) == ids
