"""What a migrated database has, compared with what the code says."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, TextClause, text

from shared.audit import tables as audit
from shared.bus import tables as bus
from shared.imports import tables as imports
from shared.web import kept_answers

KIT = (bus.metadata, audit.Base.metadata, kept_answers.Base.metadata)
CONSTRAINTS = text("""
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = CAST(:schema AS regnamespace) AND contype <> 'n' ORDER BY 1, 2
""")
INDEXES = text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = :schema ORDER BY 1")


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    """Compare tables and columns, the kit's among them."""
    assert imports.Import.metadata is bus.metadata
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found: list[object] = compare_metadata(context, [metadata, *KIT])  # type: ignore[arg-type]  # It takes several.
    connection.rollback()
    return found


def drafted(connection: Connection, metadata: MetaData) -> str:
    """Make what the metadata says in a schema of its own, and return the schema's name."""
    connection.execute(text("CREATE SCHEMA drafted"))
    connection.execute(text("SET LOCAL search_path = drafted, public"))
    metadata.create_all(connection, checkfirst=False)
    return "drafted"


def described(connection: Connection, metadata: MetaData, what: TextClause, *, schema: str) -> list[tuple[str, ...]]:
    """Describe the constraints or indexes of the metadata's tables in a schema; Alembic compares neither."""
    names = [table.name for table in metadata.sorted_tables]
    rows = connection.execute(what, {"schema": schema}).all()
    plain = [tuple(part.replace("public.", "").replace("drafted.", "") for part in row) for row in rows]
    return [row for row in plain if any(row[0].strip('"') == name or row[0].startswith(f"{name}_") for name in names)]
