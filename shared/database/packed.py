"""Arrays for statements over a whole batch, written as PostgreSQL reads them in binary.

psycopg writes a list element by element in Python, in text; that was half of what a posted event cost (decision 0037).
Source: PostgreSQL's `array_recv` and the `recv` function of each type.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat
from struct import pack
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_SIXTEEN = b"\0\0\0\x10"


class Packed(bytes):
    """An array parameter of a statement; make one with `uuids`, `integers` and so on."""

    __slots__ = ()


class Uuids(Packed):
    """A `uuid[]`."""


class SmallIntegers(Packed):
    """An `int2[]`."""


class Integers(Packed):
    """An `int4[]`."""


class BigIntegers(Packed):
    """An `int8[]`."""


class Texts(Packed):
    """A `text[]`."""


class Bodies(Packed):
    """A `bytea[]`."""


class Instants(Packed):
    """A `timestamptz[]`."""


class Dates(Packed):
    """A `date[]`."""


_OIDS: dict[type[Packed], tuple[int, int]] = {  # Of the array and of its elements; fixed for good in pg_type.dat.
    Uuids: (2951, 2950),
    SmallIntegers: (1005, 21),
    Integers: (1007, 23),
    BigIntegers: (1016, 20),
    Texts: (1009, 25),
    Bodies: (1001, 17),
    Instants: (1185, 1184),
    Dates: (1182, 1082),
}


def uuids(values: Iterable[UUID | None]) -> Uuids:
    """Pack ids, some of which may be missing."""
    return Uuids(_array(Uuids, [_NULL if value is None else _SIXTEEN + value.bytes for value in values]))


def small_integers(values: Sequence[int]) -> SmallIntegers:
    """Pack integers of two bytes. Raises struct.error for one that does not fit, as do its sisters."""
    return SmallIntegers(_numbers(SmallIntegers, values, size=2, code="h"))


def integers(values: Sequence[int]) -> Integers:
    """Pack integers of four bytes."""
    return Integers(_numbers(Integers, values, size=4, code="i"))


def big_integers(values: Sequence[int]) -> BigIntegers:
    """Pack integers of eight bytes."""
    return BigIntegers(_numbers(BigIntegers, values, size=8, code="q"))


def texts(values: Iterable[str]) -> Texts:
    """Pack texts; the server refuses a null character in one."""
    return Texts(_array(Texts, [_sized(value.encode()) for value in values]))


def bodies(values: Iterable[bytes | None]) -> Bodies:
    """Pack byte strings, some of which may be missing."""
    return Bodies(_array(Bodies, [_NULL if value is None else _sized(value) for value in values]))


def instants(values: Iterable[datetime]) -> Instants:
    """Pack instants, as microseconds since 2000. Raises TypeError for one without a zone."""
    return Instants(_numbers(Instants, [(value - _EPOCH) // _MICROSECOND for value in values], size=8, code="q"))


def dates(values: Iterable[date]) -> Dates:
    """Pack dates, as days since 2000."""
    return Dates(_numbers(Dates, [value.toordinal() - _EPOCH_DAY for value in values], size=4, code="i"))


class _PackedDumper(Dumper):
    """Sends what is packed as it is."""

    format = Format.BINARY

    def dump(self, obj: Packed) -> bytes:
        return obj


def _dumper_of(kind: type[Packed], oid: int) -> type[_PackedDumper]:
    return type(f"{kind.__name__}Dumper", (_PackedDumper,), {"oid": oid})


for _kind, (_oid, _) in _OIDS.items():  # Before any engine is made, which copies what is registered by then.
    psycopg.adapters.register_dumper(_kind, _dumper_of(_kind, _oid))


def _numbers(kind: type[Packed], values: Sequence[int], *, size: int, code: str) -> bytes:
    elements = pack(f">{f'i{code}' * len(values)}", *chain.from_iterable(zip(repeat(size), values, strict=False)))
    return _header(kind, len(values)) + elements


def _array(kind: type[Packed], elements: Sequence[bytes]) -> bytes:
    return _header(kind, len(elements)) + b"".join(elements)


def _header(kind: type[Packed], length: int) -> bytes:
    """Say: one dimension, of this type, so many, counted from 1. The server finds out by itself if any is missing."""
    _, element = _OIDS[kind]
    return pack(">iiIii", 1, 0, element, length, 1)


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value
