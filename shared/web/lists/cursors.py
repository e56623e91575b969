"""Cursors: where a list goes on, as text that only we can write and that fits one list, order, filter and programme."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.auth.signatures import NotOurs, Signatures
from shared.database.keyset import Order
from shared.errors import Invalid, Title


class BrokenCursor(Invalid):
    """A list was to go on at a place that is none of this list, as it is sorted and filtered now."""

    code = "broken_cursor"
    title = Title(zh="翻页参数有误，请从第一页重新开始", en="The page parameter is not usable: begin at the first page")


@dataclass(frozen=True)
class Cursors:
    """Writes and reads the cursors of one order of one list; `purpose` says which, and for whom."""

    signatures: Signatures
    order: Order
    purpose: str

    def written(self, place: Sequence[object] | None) -> str | None:
        """Return the cursor of a place, None for none. It is signed, not secret: personal data is no sort."""
        if place is None:
            return None
        return self.signatures.sign(self._shape().dump_python(tuple(place), mode="json"), purpose=self.purpose)

    def read(self, cursor: str | None) -> tuple[Any, ...] | None:
        """Return the place of a cursor, None for none. Raises BrokenCursor."""
        if cursor is None:
            return None
        try:
            return self._shape().validate_python(self.signatures.read(cursor, purpose=self.purpose))
        except (NotOurs, ValidationError) as error:
            raise BrokenCursor(field="cursor") from error

    def _shape(self) -> TypeAdapter[tuple[Any, ...]]:
        types = ((sort.column.type.python_type, sort.null_as is not None) for sort in self.order.sorts)
        return _shape_of(tuple(kind | None if may_be_null else kind for kind, may_be_null in types))


@cache
def _shape_of(kinds: tuple[Any, ...]) -> TypeAdapter[tuple[Any, ...]]:
    return TypeAdapter(tuple[*kinds])  # type: ignore[valid-type]  # Known at run time alone.
