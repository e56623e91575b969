"""How what a proposal says is kept: as one JSON document, validated on its way in and out."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from services.activities.checklists.rules import Content

_DOCUMENT = TypeAdapter(Content)


def written(content: Content) -> Any:  # noqa: ANN401  A JSON document.
    """Return a content as the document that is kept."""
    return _DOCUMENT.dump_python(content, mode="json")


class ContentType(TypeDecorator[Content]):
    """A column that holds a `Content`."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: Content | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002  As JSONB takes it.
        """Write a content as JSON."""
        return None if value is None else written(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Content | None:  # noqa: ANN401, ARG002  As above.
        """Read it back. Raises ValidationError."""
        return None if value is None else _DOCUMENT.validate_python(value)
