"""The bound of the ledger: PostgreSQL's COPY of rows that are there already, into the same tables, guards on."""

import time
from collections.abc import Iterator
from itertools import islice

import psycopg
from sqlalchemy import URL

from tests.bench.contenders import Run
from tests.bench.meters import Meter, spent
from tests.bench.places import Places
from tests.bench.watching import WARM_UP

BATCH = 500
TABLES = {  # Legs first, as the journal's guard wants them; a balance is no row of a fact.
    "leg": ("entry_id, line", 2 * BATCH),
    "entry": ("id", BATCH),
    "donation": ("id", BATCH),
    "inbox": ("event_id", BATCH),
}


class Copied:
    """Rows as COPY reads them, cut into transactions of a batch of facts each."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._policies = b""
        self._batches: list[dict[str, bytes]] = []

    def take(self, url: URL) -> None:
        """Remember the rows that somebody wrote."""
        with psycopg.connect(_plain(url)) as connection:
            self._policies = b"".join(_rows(connection, "policy_version", "id"))
            cut = {table: list(_cut(_rows(connection, table, key), size)) for table, (key, size) in TABLES.items()}
        self._batches = [dict(zip(cut, batch, strict=True)) for batch in zip(*cut.values(), strict=True)]

    def run(self) -> Run:
        """Copy them into a fresh database and commit each batch, on one connection."""
        url = self._places.fresh("ledger")
        with psycopg.connect(_plain(url)) as connection:
            self._copy(connection, {"policy_version": self._policies})
            warm = round(len(self._batches) * WARM_UP)
            for batch in self._batches[:warm]:
                self._copy(connection, batch)
            timed = self._batches[warm:]
            meter = Meter(self._places.roots())
            begun, before = time.monotonic(), meter.read()
            for batch in timed:
                self._copy(connection, batch)
            seconds = time.monotonic() - begun
            facts = sum(batch["entry"].count(b"\n") for batch in timed)
            return Run(facts / seconds, spent(before, meter.read(), units=facts))

    @staticmethod
    def _copy(connection: psycopg.Connection, batch: dict[str, bytes]) -> None:
        with connection.cursor() as cursor:
            for table, rows in batch.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(rows)
        connection.commit()


def _rows(connection: psycopg.Connection, table: str, key: str) -> Iterator[bytes]:
    """Read a table in order, a line a row."""
    kept = b""
    query = f"COPY (SELECT * FROM {table} ORDER BY {key}) TO STDOUT"  # noqa: S608  Our own names.
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for part in copy:
            *lines, kept = (kept + bytes(part)).split(b"\n")
            yield from (line + b"\n" for line in lines)


def _cut(rows: Iterator[bytes], size: int) -> Iterator[bytes]:
    while batch := list(islice(rows, size)):
        yield b"".join(batch)


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
