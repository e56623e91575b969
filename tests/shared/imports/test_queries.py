"""What a caller sees of imports."""

from uuid import UUID, uuid4

from shared.imports import queries
from shared.imports.queries import Scope
from tests.shared.imports.pebbles import Desk


def test_a_list_holds_the_callers_kinds_in_their_programme(desk: Desk) -> None:
    """Of other kinds and programmes not even the number."""
    import_id = desk.stage(("a", 1))

    def seen(scope: Scope) -> list[UUID]:
        with desk.database.transaction() as tx:
            return [row.id for row in tx.execute(queries.standings_of(scope))]

    assert seen(Scope(desk.programme, ["others", "pebbles"])) == [import_id]
    assert seen(Scope(desk.programme, ["others"])) == seen(Scope(desk.programme, [])) == []
    assert seen(Scope(uuid4(), ["pebbles"])) == []
