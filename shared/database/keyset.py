"""Lists that are read page by page: how one may be sorted and filtered, and where in its order a page goes on.

A page goes on behind the values of the last row before it (keyset pagination), never behind a number of rows: page
1,000 reads as few rows as page 1, and rows that come or go between two pages neither repeat nor hide others.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, literal, literal_column, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

Column = InstrumentedAttribute[Any] | ColumnElement[Any]
Rows = Select[*tuple[Any, ...]]

DESCENDING: Final = "-"


@dataclass(frozen=True)
class Sort:
    """What a list may be sorted by: a column, or an expression with the `name` under which a row shows its value.

    One that may be NULL says what NULL counts as in the order: `null_as`, a literal of SQL behind every value, as
    `'infinity'::timestamptz`. Its index is then over `coalesce(column, literal)`.
    """

    column: Column
    name: str = ""
    null_as: str | None = None

    @property
    def expression(self) -> ColumnElement[Any]:
        """What the order and its index are over."""
        if self.null_as is None:
            return self.column.expression if isinstance(self.column, InstrumentedAttribute) else self.column
        return func.coalesce(self.column, literal_column(self.null_as))

    def value_in(self, row: object) -> Any:  # noqa: ANN401  Whatever the column holds.
        """Return a row's value."""
        return operator.attrgetter(self.name or str(self.column.key))(row)

    def bound(self, value: object) -> ColumnElement[Any]:
        """Say a value in SQL, as the order has it."""
        if value is None and self.null_as is not None:
            return literal_column(self.null_as)
        return literal(value, type_=self.column.type)


@dataclass(frozen=True)
class Order:
    """One order of a list. The last sorts are its key, so no two rows share a place."""

    sorts: tuple[Sort, ...]
    is_descending: bool = False

    def sorted(self, rows: Rows) -> Rows:
        """Put rows into this order."""
        each = (sort.expression for sort in self.sorts)
        return rows.order_by(*(part.desc() if self.is_descending else part.asc() for part in each))

    def behind(self, rows: Rows, place: Sequence[object]) -> Rows:
        """Keep the rows that stand behind a place of this order."""
        here = tuple_(*(sort.expression for sort in self.sorts))
        there = tuple_(*(sort.bound(value) for sort, value in zip(self.sorts, place, strict=True)))
        return rows.where(here < there if self.is_descending else here > there)

    def place_of(self, row: object) -> tuple[Any, ...]:
        """Say where a row stands."""
        return tuple(sort.value_in(row) for sort in self.sorts)


@dataclass(frozen=True)
class Filter:
    """What a caller may limit a list by. `takes` is the type that HTTP accepts, by default the column's own.

    `default` holds when the caller says nothing; `any_of` is the word that lifts it, beside those of an enumeration.
    """

    column: Column
    says: str
    compare: Callable[[Any, Any], ColumnElement[bool]] = operator.eq
    takes: Any = None
    default: Any = None
    any_of: str | None = None


def equal(
    column: Column, says: str, *, takes: Any = None, default: Any = None, any_of: str | None = None  # noqa: ANN401  See Filter.
) -> Filter:  # fmt: skip
    """Let callers ask for one value of a column."""
    return Filter(column, says, takes=takes, default=default, any_of=any_of)


def since(column: Column, says: str) -> Filter:
    """Let callers ask for what is not before a value."""
    return Filter(column, says, operator.ge)


def until(column: Column, says: str) -> Filter:
    """Let callers ask for what is before a value, which is excluded."""
    return Filter(column, says, operator.lt)


def holding(column: Column, says: str, *, takes: Any) -> Filter:  # noqa: ANN401  See Filter.
    """Let callers ask for rows with a value among those of a column, which is an array; `takes` is one value's type."""
    return Filter(column, says, _holds, takes=takes)


def _holds(column: Column, value: object) -> ColumnElement[bool]:
    return column.contains([value])  # An array's own operator: an index over its values serves it.


def filtered(rows: Rows, filters: Mapping[str, Filter], asked: Mapping[str, object]) -> Rows:
    """Keep the rows that are asked for; what is None, or no filter, limits nothing."""
    for name, wanted in filters.items():
        value = asked.get(name)
        if value is not None and value != wanted.any_of:
            rows = rows.where(wanted.compare(wanted.column, value))
    return rows


@dataclass(frozen=True)
class KeysetList:
    """How one list is sorted and filtered: declared once, for pages, exports and their description alike.

    `key` are the columns by which rows differ; every order ends with them. The name of the key's own order is `by_key`.
    """

    key: tuple[Column, ...]
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    by_key: str = "id"
    default_sort: str = "id"

    @property
    def orders(self) -> list[str]:
        """Name every order, each ascending and descending."""
        return [name for sort in (self.by_key, *self.sorts) for name in (sort, f"{DESCENDING}{sort}")]

    def order(self, name: str) -> Order:
        """Return the order of a name; `-` in front of it turns it round."""
        sort = name.removeprefix(DESCENDING)
        chosen = () if sort == self.by_key else (self.sorts[sort],)
        return Order((*chosen, *map(Sort, self.key)), is_descending=name.startswith(DESCENDING))


def is_of_one_thing(rows: Rows) -> bool:
    """Say whether rows are things of one class, rather than several columns."""
    return len(rows.column_descriptions) == 1


def read_page(
    tx: Session, rows: Rows, order: Order, *, place: Sequence[object] | None, limit: int
) -> tuple[Sequence[Any], tuple[Any, ...] | None]:  # fmt: skip
    """Return at most `limit` rows behind a place, and the place behind which there are more, None at the end."""
    statement = order.sorted(rows if place is None else order.behind(rows, place)).limit(limit + 1)
    found: Sequence[Row[Any]] = (tx.scalars(statement) if is_of_one_thing(rows) else tx.execute(statement)).all()
    if len(found) <= limit:
        return found, None
    return found[:limit], order.place_of(found[limit - 1])
