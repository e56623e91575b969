"""Long lists of values in a statement: one array parameter, whatever their number."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, any_, bindparam, cast
from sqlalchemy.orm import InstrumentedAttribute


def among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Say that `column` is one of `values`; unlike IN, with a single parameter (a statement takes 65,535 at most)."""
    return column == any_(cast(list(values), ARRAY(column.type)))


def among_given(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Say the same of the values that are given under `name`, packed or not, in a statement that is made but once."""
    return column == any_(cast(bindparam(name), ARRAY(column.type)))
