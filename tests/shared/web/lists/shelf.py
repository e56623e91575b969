"""A service with one list: what a new service writes to have pages, filters, orders, CSV and XLSX of its own."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import MetaData, Select, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from shared.auth.callers import Caller
from shared.database.base import COLUMN_TYPES, NAMES
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.database.sessions import Database
from shared.errors import Title
from shared.ids import new_id
from shared.service import Service
from shared.web.doors import Tx, may
from shared.web.fields import Money
from shared.web.lists import Answer, Asked, Listed
from shared.web.lists.listed import MOST_EXPORTED


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = COLUMN_TYPES


class Book(Base):
    __tablename__ = "book"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    partner_id: Mapped[UUID | None]
    title: Mapped[str]
    fen: Mapped[int]
    bought_on: Mapped[date]
    lent_at: Mapped[datetime | None]


class ShownBook(BaseModel):
    """A book as callers see it."""

    id: UUID
    title: str
    price: Annotated[Money, BeforeValidator(lambda fen: Money(fen=fen))] = Field(validation_alias="fen")
    bought_on: date
    lent_at: datetime | None


# queries.py
BOOKS = KeysetList(
    key=(Book.id,),
    sorts={
        "bought_on": Sort(Book.bought_on),
        "price": Sort(Book.fen),
        "lent_at": Sort(Book.lent_at, null_as="'infinity'::timestamptz"),
    },
    filters={
        "partner_id": equal(Book.partner_id, "Of this partner."),
        "title": equal(Book.title, "With this title.", default=None),
        "fen": equal(Book.fen, "For so many fen."),
        "bought_from": since(Book.bought_on, "Bought on this date or later."),
        "bought_until": until(Book.bought_on, "Bought before this date."),
        "lent_from": since(Book.lent_at, "Lent at this instant or later."),
    },
)


def books_of(programme_id: UUID, partner_scope: UUID | None) -> Select[Book]:
    rows = select(Book).where(Book.programme_id == programme_id)
    return rows if partner_scope is None else rows.where(Book.partner_id == partner_scope)


# schemas.py
LISTED = Listed(
    BOOKS,
    ShownBook,
    file="books",
    title=Title(zh="图书", en="Books"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "title": Title(zh="书名", en="Title"),
        "price": Title(zh="价格（元）", en="Price (CNY)"),
        "bought_on": Title(zh="购入日期", en="Bought on"),
        "lent_at": Title(zh="借出时间", en="Lent at"),
    },
    most_exported=6_000,
)

ALL = replace(LISTED, most_exported=MOST_EXPORTED)

# api.py
router = APIRouter()
Reader = Annotated[Caller, Depends(may("attendance.oversee"))]


@router.get("/more-books", operation_id="list_more_books", response_model=LISTED.page, responses=LISTED.responses)
@router.get("/books", operation_id="list_books", response_model=LISTED.page, responses=LISTED.responses)
def list_books(caller: Reader, asked: Annotated[Asked, Depends(LISTED.asked)], tx: Tx) -> Answer:
    """List books; a partner's member sees that partner's."""
    return LISTED.answer(asked, tx, caller, books_of(caller.programme_id, caller.partner_scope))


@router.get("/all-books", operation_id="list_all_books", response_model=ALL.page, responses=ALL.responses)
def list_all_books(caller: Reader, asked: Annotated[Asked, Depends(ALL.asked)], tx: Tx) -> Answer:
    """List books, and write files as long as any service's."""
    return ALL.answer(asked, tx, caller, books_of(caller.programme_id, caller.partner_scope))


@router.get("/broken-books", operation_id="list_broken_books", response_model=LISTED.page, responses=LISTED.responses)
def list_broken_books(caller: Reader, asked: Annotated[Asked, Depends(LISTED.asked)], tx: Tx) -> Answer:
    """List books of which some cannot be read."""
    show = _show_until_broken
    return LISTED.answer(asked, tx, caller, books_of(caller.programme_id, None), show=show)


def _show_until_broken(_tx: Session, books: Any) -> list[ShownBook]:
    if any(book.title == "broken" for book in books):
        raise RuntimeError("a page is missing")
    return [ShownBook.model_validate(book, from_attributes=True) for book in books]


SERVICE = Service(name="kit", routers=(router,))

INDEXES = (
    "CREATE INDEX ON book (programme_id, id)",
    "CREATE INDEX ON book (programme_id, bought_on, id)",
    "CREATE INDEX ON book (programme_id, fen, id)",
    "CREATE INDEX ON book (programme_id, coalesce(lent_at, 'infinity'::timestamptz), id)",
)
_FILL = text("""
    INSERT INTO book SELECT gen_random_uuid(), :programme_id, NULL, 'Book ' || n, n % 97, DATE '2022-01-01' + n % 365,
        CASE WHEN n % 3 > 0 THEN TIMESTAMPTZ '2022-01-01' + n % 1000 * INTERVAL '1 hour' END
    FROM generate_series(1, :books) AS n
""")


def put(database: Database, programme_id: UUID, *books: dict[str, Any]) -> list[Book]:
    """Put books on the shelf of a programme."""
    usual = {"programme_id": programme_id, "title": "明清小说", "fen": 1234, "bought_on": date(2022, 6, 1)}
    made = [Book(**{"id": new_id(), **usual, **book}) for book in books]
    with database.transaction() as tx:
        tx.add_all(made)
    return made


def fill(database: Database, programme_id: UUID, books: int) -> None:
    """Put very many books on the shelf of a programme, a third of them never lent, with many ties in each order."""
    with database.transaction() as tx:
        tx.execute(_FILL, {"programme_id": programme_id, "books": books})
