"""What callers may ask of a list: its parameters as HTTP takes and OpenAPI describes them, and the format they want."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import EnumType
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, Literal, get_args

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field, create_model
from sqlalchemy import BigInteger

from shared.database.keyset import Column, Filter, KeysetList
from shared.documents.exports import MEDIA_TYPES
from shared.errors import NotAcceptable
from shared.web.fields import Day, Instant, Line
from shared.web.representations import JSON, Form, preferred

MOST_ROWS, USUAL_ROWS = 200, 50
FORMS: Final = (JSON, *(Form(name, media) for name, media in MEDIA_TYPES.items()))

_CURSOR_CHARS = 2_000
_LIMIT = Annotated[int, Field(ge=1, le=MOST_ROWS)]
_CURSOR = Annotated[str, Field(min_length=1, max_length=_CURSOR_CHARS)] | None
_FORMAT = Literal["json", "csv", "xlsx"] | None
_FORMAT_SAYS = "The format of the answer; without it `Accept` decides. CSV and XLSX hold the whole list, without pages."


@dataclass(frozen=True)
class Asked:
    """What one caller asks of a list."""

    request: Request
    format: str
    filters: Mapping[str, Any]  # Those that were given, or hold by default.
    given: frozenset[str]  # The names of all parameters that the caller wrote.
    sort: str = ""
    limit: int = USUAL_ROWS
    cursor: str | None = None


Asker = Callable[..., Awaitable[Asked]]


def asker(name: str, filters: Mapping[str, Filter], declared: KeysetList | None) -> Asker:
    """Return the dependency that reads a list's parameters and refuses any other, by field."""
    fields = {key: (_type_of(each) | None, Field(each.default, description=each.says)) for key, each in filters.items()}
    paging = {} if declared is None else _paging(declared)
    parameters: dict[str, Any] = {**fields, **paging, "format": (_FORMAT, Field(None, description=_FORMAT_SAYS))}
    model = create_model(f"{name}Query", __config__=ConfigDict(extra="forbid"), **parameters)

    async def asked(request: Request, query: BaseModel) -> Asked:
        return _asked(request, query, filters)

    places = Parameter.POSITIONAL_OR_KEYWORD
    asked.__signature__ = Signature(  # type: ignore[attr-defined]  # FastAPI reads the parameters there.
        [
            Parameter("request", places, annotation=Request),
            Parameter("query", places, annotation=Annotated[model, Query()]),
        ]
    )
    return asked


def _paging(declared: KeysetList) -> dict[str, Any]:
    orders = Literal[tuple(declared.orders)]  # type: ignore[valid-type]  # Known at run time alone.
    sort_says = "What the list is sorted by; `-` turns the order round. Rows that are equal in it follow by their ids."
    cursor_says = "Where the list goes on: the `next` of the page before, with the same filters and sort."
    return {
        "sort": (orders, Field(declared.default_sort, description=sort_says)),
        "limit": (_LIMIT, Field(USUAL_ROWS, description="How many rows a page has at most.")),
        "cursor": (_CURSOR, Field(None, description=cursor_says)),
    }


def _type_of(wanted: Filter) -> Any:  # noqa: ANN401  A type.
    """Say which values a filter takes: what the column holds, and nothing that PostgreSQL would choke on."""
    kind = wanted.takes or _type_of_column(wanted.column)
    if wanted.any_of is None:
        return kind
    words: Sequence[str] = tuple(kind) if isinstance(kind, EnumType) else get_args(kind)
    return Literal[(*map(str, words), wanted.any_of)]  # One type rather than two: an error then names one field.


def _type_of_column(column: Column) -> Any:  # noqa: ANN401  A type.
    kind = column.type.python_type
    if kind is int:
        bits = 63 if isinstance(column.type, BigInteger) else 31
        return Annotated[int, Field(ge=-(2**bits), lt=2**bits)]
    ours: dict[type, Any] = {datetime: Instant, date: Day, str: Line}
    return ours.get(kind, kind)


def _asked(request: Request, query: BaseModel, filters: Mapping[str, Filter]) -> Asked:
    values = {name: getattr(query, name) for name in type(query).model_fields}
    written = values.pop("format")
    return Asked(
        request=request,
        format=written or format_of(",".join(request.headers.getlist("accept"))),
        filters={
            name: values.pop(name)
            for name, wanted in filters.items()
            if values[name] is not None and values[name] != wanted.any_of
        },
        given=frozenset(query.model_fields_set),
        **{name: values[name] for name in ("sort", "limit", "cursor") if name in values},
    )


def format_of(accept: str) -> str:
    """Choose a format by `Accept`, JSON if several weigh the same. Raises NotAcceptable."""
    chosen = preferred(accept, FORMS)
    if chosen is None:
        raise NotAcceptable(offered=[form.media_type for form in FORMS])
    return chosen.name
