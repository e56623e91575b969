"""The kit's migration makes what its tables say."""

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from shared.bus.tables import metadata
from shared.database.server import Server
from shared.imports.tables import Import
from tests.servers.schema import CONSTRAINTS, INDEXES, described, drafted


def test_constraints_and_indexes_are_what_the_code_says(importing: Server) -> None:
    """Alembic compares neither; columns are compared where each service's are."""
    assert Import.metadata is metadata
    with create_engine(importing.database_url("ledger"), poolclass=NullPool).connect() as owner:
        draft = drafted(owner, metadata)
        for what in (CONSTRAINTS, INDEXES):
            is_there = [row for row in described(owner, metadata, what, schema="public") if "sheet_import" in row[0]]
            said = [row for row in described(owner, metadata, what, schema=draft) if "sheet_import" in row[0]]
            assert is_there == said != []
