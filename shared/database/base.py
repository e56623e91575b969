"""What every table shares: one naming convention for constraints, one way to spell a fact."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, Text, Uuid
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
COLUMN_TYPES: Final[dict[Any, Any]] = {datetime: DateTime(timezone=True), int: BigInteger, str: Text, UUID: Uuid}


def tables_of(service: str) -> type[DeclarativeBase]:
    """Return the declarative base of one service; each service has its own database, so its own metadata."""

    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMES, info={"service": service})
        type_annotation_map = COLUMN_TYPES

    return Base
