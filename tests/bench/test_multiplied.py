"""A programme that was copied is as whole as the one before."""

import secrets
from contextlib import closing

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from shared.database.server import Server
from shared.ids import new_id
from tests.bench import boards, multiplied

TIMES = 3
_KEYS = text("""
    SELECT conrelid::regclass::text, a.attname, confrelid::regclass::text, b.attname
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
        JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = confkey[1]
    WHERE contype = 'f' AND cardinality(conkey) = 1
""")


def orphans(connection: Connection) -> dict[str, int]:
    """Count by key what names a row that is not there."""
    found = {}
    for table, column, target, key in connection.execute(_KEYS):
        missing = f"SELECT count(*) FROM {table} t WHERE {column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {target} k WHERE k.{key} = t.{column})"  # noqa: E501, S608  Names of the database's own.
        found[f"{table}.{column}"] = connection.execute(text(missing)).scalar_one()
    return found


def test_copies_name_copies(server: Server) -> None:
    """Every table grows as it should, and no key leads nowhere."""
    own = Server(server.url, prefix=f"multiplied_{secrets.token_hex(4)}_")
    own.prepare("activities")
    try:
        with closing(own.open("activities", pool_size=1)) as database, database.transaction() as tx:
            boards.put_one_of_everything(tx, new_id())
        with create_engine(own.database_url("activities"), poolclass=NullPool).begin() as connection:
            rows = multiplied.multiply(connection, times=TIMES)
            found = orphans(connection)
    finally:
        own.drop("activities")

    assert rows["attendance"] == boards.SERVED * (TIMES + 1)
    assert rows["proposal"] == boards.PROPOSALS * (TIMES + 1)
    assert (rows["partner"], rows["round"]) == (multiplied.PARTNERS + 1, multiplied.ROUNDS + 1)
    assert len(found) > 30
    assert {key: count for key, count in found.items() if count} == {}
