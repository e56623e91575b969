"""How Alembic runs here: on the connection that `shared.database.migrate` opened, in its transaction."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
connection.execute(text("SET LOCAL lock_timeout = '5s'"))
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
