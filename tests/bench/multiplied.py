"""A programme that is many times as large: its rows copied, with ids, dates and references of their own.

A copy of a row names the copies of what the row named, so that every figure of one copy is that of the first. There are
as many partners, rounds and people as a programme has (`SHARED`), and each of them gets the copies of many. Of a
volunteer there are `CROWDS` copies: who served together in the first week does so whenever one of them comes.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

PARTNERS, ROUNDS, CROWDS = 70, 52, 700
SHARED = {"partner": PARTNERS, "round": ROUNDS, "volunteer": CROWDS}
MENTIONED = {f"{thing}_id": count for thing, count in SHARED.items()}
LEFT_OUT = {  # What is no programme's, and what is read by none of its lists.
    "alembic_version", "outbox", "inbox", "event_archive", "schedule", "task_run", "suspect", "kept_answer",
    "certificate_issuer", "round_calendar",
}  # fmt: skip

_COLUMNS = text("""
    WITH keys AS (
        SELECT i.indrelid, i.indexrelid, a.attname,
            bool_or(a.atttypid = 'uuid'::regtype AND a.attname <> 'programme_id')
                OVER (PARTITION BY i.indexrelid) AS has_id
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) WHERE i.indisunique)
    SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
        EXISTS (SELECT 1 FROM keys WHERE indrelid = c.oid AND attname = a.attname AND NOT has_id) AS tells_apart
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
    ORDER BY c.relname, a.attnum
""")


class Column(NamedTuple):
    """A column, as far as a copy of it depends on that."""

    name: str
    kind: str
    tells_apart: bool  # Without any id beside it.


def multiply(connection: Connection, *, times: int) -> Mapping[str, int]:
    """Copy every row so many times, as the server's owner; return how many rows each table then has.

    Guards and keys are not asked: copies of sound rows are sound.
    """
    connection.execute(text("SET session_replication_role = replica"))
    found: dict[str, int] = {}
    for table, columns in _tables(connection):
        connection.execute(text(_copy(table, columns)), {"times": SHARED.get(table, times)})
        found[table] = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  Its own name.
    connection.execute(text("SET session_replication_role = DEFAULT"))
    connection.execute(text("ANALYZE"))
    return found


def _tables(connection: Connection) -> Iterator[tuple[str, list[Column]]]:
    columns: dict[str, list[Column]] = {}
    for table, *column in connection.execute(_COLUMNS):
        columns.setdefault(f'"{table}"', []).append(Column(*column))
    return ((table.strip('"'), each) for table, each in columns.items() if table.strip('"') not in LEFT_OUT)


def _copy(table: str, columns: list[Column]) -> str:
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(table, column) for column in columns)
    return f"""
        INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}", generate_series(1, :times) AS k
        ON CONFLICT DO NOTHING
    """  # noqa: S608  Names of the database's own.


def _value(table: str, column: Column) -> str:
    """Say what a copy has in a column."""
    name, kind, tells_apart = column
    if name == "programme_id":
        return f'"{name}"'
    if kind == "uuid":
        shared = SHARED.get(table) if name == "id" else MENTIONED.get(name)
        return f"md5(\"{name}\"::text || '-' || ({f'k % {shared}' if shared else 'k'})::text)::uuid"
    if kind in {"date", "timestamp with time zone"}:
        return f"CAST(\"{name}\" + (1 + k % {ROUNDS}) * interval '7 days' AS {kind})"
    if not tells_apart and (table, name) != ("proposal", "number"):  # Many copies are in one round.
        return f'"{name}"'
    return {
        "text": f"\"{name}\" || '-' || k",
        "integer": f'"{name}" + k * 10',
        "bytea": f'sha256(CAST("{name}" AS text)::bytea || k::text::bytea)',
    }.get(kind, f'"{name}"')
