"""What every table shares: one naming convention for constraints, one way to spell a fact."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text, Uuid

NAMES = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
COLUMN_TYPES: Final[dict[Any, Any]] = {datetime: DateTime(timezone=True), int: BigInteger, str: Text, UUID: Uuid}
