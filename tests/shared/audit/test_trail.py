"""What a call changes is collected while it works; what nobody asked for costs nothing."""

from collections.abc import Iterator
from uuid import uuid4

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from shared.audit import Change, note
from shared.audit.trail import HIDDEN, MOST_SHOWN, PRIVATE, begin, identity_of


class Base(DeclarativeBase):
    """Rows of this test's own."""


class Sealed(Base):
    """A row whose key says more than an id."""

    __tablename__ = "sealed"

    place: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True, info=PRIVATE)
    note: Mapped[str | None]


def unread() -> Iterator[Change]:
    raise AssertionError("nobody reads this")
    yield Change(1, None, None)


def test_without_a_trail_a_note_is_nothing() -> None:
    """A handler's work follows from facts, which are kept."""
    note(Session(), "memo", unread(), added=1)


def test_more_than_can_be_shown_is_not_even_looked_at() -> None:
    """A generator over 50,000 rows costs nothing."""
    tx = Session()
    trail = begin(tx)
    note(tx, "memo", [Change(1, None, {"a": 1})], added=1)
    note(tx, "memo", unread(), added=MOST_SHOWN, removed=0)

    assert (trail.shown(), trail.counted()) == ([], {"memo": {"added": MOST_SHOWN + 1}})


def test_one_kind_of_thing_does_not_crowd_out_another() -> None:
    """An import's rows are many; the import is one."""
    tx = Session()
    trail = begin(tx)
    note(tx, "memo", unread(), added=10_000)
    note(tx, "import", [Change(7, {"state": "staged"}, {"state": "done"})], changed=1)

    assert trail.shown() == [{"thing": "import", "id": "7", "from": {"state": "staged"}, "to": {"state": "done"}}]
    assert trail.counted() == {"memo": {"added": 10_000}, "import": {"changed": 1}}


def test_a_thing_changed_twice_is_shown_from_first_to_last() -> None:
    """What it was in between was never true for anybody else."""
    tx, thing = Session(), uuid4()
    trail = begin(tx)
    note(tx, "memo", [Change(thing, {"a": 1, "b": 1}, {"a": 2, "b": 1})], changed=1)
    note(tx, "memo", [Change(thing, {"a": 2, "c": 5}, {"a": 3, "c": 6})], changed=1)

    assert trail.shown() == [
        {"thing": "memo", "id": str(thing), "from": {"a": 1, "c": 5}, "to": {"a": 3, "c": 6}}
    ]  # fmt: skip


def test_what_changed_nothing_is_no_change() -> None:
    """A statement that found no row says so by its number."""
    tx = Session()
    trail = begin(tx)
    note(tx, "memo", unread(), added=0)

    assert (trail.shown(), trail.counted()) == ([], {})


def test_what_is_private_in_a_key_is_not_shown() -> None:
    """Else the trail would keep, beside a person's id, what leads to their number."""
    assert identity_of(Sealed(place=1, digest=b"\1", name="roses")) == ("sealed", f"1/{HIDDEN}/{HIDDEN}")


def test_rows_whose_keys_are_not_shown_are_counted_each_once() -> None:
    """They look alike, and are not the same."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as tx:
        trail = begin(tx)
        rows = [Sealed(place=1, digest=bytes([number]), name="roses") for number in range(2)]
        tx.add_all(rows)
        tx.flush()
        rows[0].note = "again"
        tx.flush()

    assert trail.counted() == {"sealed": {"added": 2}}
    assert "roses" not in str(trail.shown())
