"""Lists as routes answer them: a page, or the whole as a file."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel, create_model
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from shared.auth.callers import Caller
from shared.database.keyset import Filter, KeysetList, Order, Rows, filtered, is_of_one_thing, read_page
from shared.database.sessions import Database
from shared.documents.exports import CSV_MEDIA_TYPE, MEDIA_TYPES, WRITERS, XLSX_MEDIA_TYPE, Columns
from shared.errors import Invalid, NotAcceptable, Title
from shared.web.fields import Items, Shown
from shared.web.lists.asking import Asked, Asker, asker
from shared.web.lists.cursors import BrokenCursor, Cursors
from shared.web.lists.streaming import ExportsBusy, Places, Streamed
from shared.web.problems import MEDIA_TYPE as PROBLEM
from shared.web.problems import language_of
from shared.web.refusals import refuses
from shared.web.representations import JSON

MOST_EXPORTED: Final = 200_000
BATCH_ROWS: Final = 1_000

Item = TypeVar("Item", bound=BaseModel)
Answer = BaseModel | Response
Show = Callable[[Session, Sequence[Any]], Sequence[BaseModel]]

_TEXT = {"type": "string", "maxLength": 2**31 - 1}
_FILE = {"schema": {"type": "string", "format": "binary"}}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A page of the list as JSON; the whole list as CSV (UTF-8 with a byte order mark) or XLSX.",
        "content": {CSV_MEDIA_TYPE: {"schema": _TEXT}, XLSX_MEDIA_TYPE: _FILE},
    },
    406: {"description": "`Accept` names none of the three formats.", "content": {PROBLEM: {}}},
    429: {"description": "Too many files are being made: see `Retry-After`.", "content": {PROBLEM: {}}},
}  # fmt: skip


class TooManyRows(Invalid):
    """More rows match than a file may hold."""

    code = "export_too_large"
    title = Title(zh="导出行数过多，请缩小筛选范围", en="Too many rows for one file: narrow the filters")


class PagesOnly(Invalid):
    """A parameter of pages was sent with a format that has none."""

    code = "pages_only"
    title = Title(zh="导出文件不分页，请去掉该参数", en="A file holds the whole list: leave this parameter out")


class Page(BaseModel, Generic[Item]):
    """A part of a list; `next` is the `cursor` of the part behind it, null at the end."""

    items: Items[Item]
    next: Shown | None


@dataclass(frozen=True)
class Listed:
    """A list as HTTP shows it: what was declared of it, the shape of its items, and the columns of its files.

    `columns` name attributes of the items. `file` is the name of its files, `title` what people call the list.
    """

    declared: KeysetList
    item: type[BaseModel]
    file: str
    title: Title
    columns: Columns
    most_exported: int = MOST_EXPORTED
    responses: dict[int | str, dict[str, Any]] = field(default_factory=lambda: RESPONSES)

    def __post_init__(self) -> None:
        """Raise AttributeError for a column that the items do not have."""
        _require_columns(self.item, self.columns)

    @cached_property
    def page(self) -> type[BaseModel]:
        """The shape of a page."""
        return create_model(f"{self.item.__name__}Page", __base__=Page[self.item], __doc__=Page.__doc__)  # type: ignore[name-defined]  # At run time.

    @cached_property
    def asked(self) -> Asker:
        """The dependency that reads what a caller asks."""
        asked = asker(self.item.__name__, self.declared.filters, self.declared)
        return refuses(BrokenCursor, PagesOnly, TooManyRows, ExportsBusy, NotAcceptable)(asked)

    def answer(self, asked: Asked, tx: Session, caller: Caller, rows: Rows, *, show: Show | None = None) -> Answer:
        """Answer with those of `rows` that are asked for; `rows` are what the caller may see, in no order.

        `show` turns some rows into items, where they are more than the rows' own columns. A file is made in a
        transaction of its own, so `tx` holds no connection for it. Raises BrokenCursor, PagesOnly.
        """
        wanted = filtered(rows, self.declared.filters, asked.filters)
        order, show = self.declared.order(asked.sort), show or self._shown
        if asked.format == JSON.name:
            cursors = Cursors(_options(asked.request).signatures, order, _purpose(asked, caller))
            found, place = read_page(tx, wanted, order, place=cursors.read(asked.cursor), limit=asked.limit)
            return self.page(items=show(tx, found), next=cursors.written(place))
        for name in ("cursor", "limit"):
            if name in asked.given:
                raise PagesOnly(field=name)
        reading = partial(_exported, asked.request, wanted, order, show=show, most=self.most_exported)
        return _file(asked, self, reading)

    def _shown(self, _tx: Session, rows: Sequence[Any]) -> Sequence[BaseModel]:
        return [self.item.model_validate(row, from_attributes=True) for row in rows]


@dataclass(frozen=True)
class Table:
    """A short list that has no pages, as HTTP shows it: always whole, in the order in which it is made."""

    item: type[BaseModel]
    file: str
    title: Title
    columns: Columns
    filters: Mapping[str, Filter] = field(default_factory=dict)
    responses: dict[int | str, dict[str, Any]] = field(default_factory=lambda: RESPONSES)

    def __post_init__(self) -> None:
        """Raise AttributeError for a column that the items do not have."""
        _require_columns(self.item, self.columns)

    @cached_property
    def asked(self) -> Asker:
        """The dependency that reads what a caller asks."""
        return refuses(ExportsBusy, NotAcceptable)(asker(self.item.__name__, self.filters, None))

    def answer(self, asked: Asked, whole: BaseModel, items: Sequence[BaseModel]) -> Answer:
        """Answer with the `whole` document, or with its `items` as a file."""
        return whole if asked.format == JSON.name else _file(asked, self, lambda: iter([items]))


def _require_columns(item: type[BaseModel], columns: Iterable[str]) -> None:
    for name in columns:
        first, _, rest = name.partition(".")
        if first not in item.model_fields:
            attrgetter(first)(item)
        elif rest:  # A field that is a shape itself, and never null.
            _require_columns(item.model_fields[first].annotation, (rest,))  # type: ignore[arg-type]  # A shape.


def _purpose(asked: Asked, caller: Caller) -> str:
    """Name a list, as one programme's caller sorts and filters it; a cursor is good for this and nothing else."""
    bound = [asked.request.url.path, asked.sort, str(caller.programme_id), dict(asked.filters)]
    return f"cursor {orjson.dumps(bound, option=orjson.OPT_SORT_KEYS, default=str).decode()}"


def _options(request: Request) -> Any:  # noqa: ANN401  Starlette's state has no types.
    return request.app.state.options


def _file(asked: Asked, listed: Listed | Table, read: Callable[[], Iterator[Sequence[BaseModel]]]) -> Response:
    language = language_of(asked.request)
    title = listed.title.en if language == "en" else listed.title.zh
    places: Places = asked.request.app.state.export_places

    def make() -> Generator[bytes]:
        batches = read()
        try:
            yield from WRITERS[asked.format](listed.columns, language, batches)
        finally:
            getattr(batches, "close", lambda: None)()  # Its connection is free before the caller has the end.

    name = f"{listed.file}.{asked.format}"
    return Streamed(make, places=places, file_name=name, title=title, media_type=MEDIA_TYPES[asked.format])


def _exported(
    request: Request, rows: Rows, order: Order, *, show: Show, most: int
) -> Generator[Sequence[BaseModel]]:  # fmt: skip
    """Yield all rows, some at a time, from one state of the database. Raises TooManyRows before the first."""
    database: Database = request.app.state.database
    with database.reading() as tx:
        if (tx.scalar(select(func.count()).select_from(rows.limit(most + 1).subquery())) or 0) > most:
            raise TooManyRows(most_rows=most)
        statement = order.sorted(rows).execution_options(yield_per=BATCH_ROWS)
        with closing(tx.scalars(statement) if is_of_one_thing(rows) else tx.execute(statement)) as found:
            for batch in found.partitions():
                yield show(tx, batch)
