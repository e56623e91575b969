"""PostgreSQL: which server, whose database, which transaction."""
