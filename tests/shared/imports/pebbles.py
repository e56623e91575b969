"""An aggregate that knows nothing of imports but its declaration: pebbles, by name and weight."""

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus.testing.working import Working
from shared.database.sessions import Database
from shared.documents.cells import text as words
from shared.documents.cells import whole_number
from shared.documents.columns import Column
from shared.imports import committing, queries
from shared.imports.desk import Imports
from shared.imports.judging import Case, Effect, Verdict
from shared.imports.kinds import Accepted, ImportKind, Tell
from shared.imports.queries import Scope
from shared.imports.staging import Upload, stage
from shared.web.import_shapes import Import

TABLE = "CREATE TABLE pebble (programme_id uuid, name text, grams int, PRIMARY KEY (programme_id, name))"
NOW = datetime(2022, 6, 1, 12, tzinfo=UTC)
During = Callable[[Tell], None]


class Pebble(NamedTuple):
    """A row of the sheet."""

    name: str
    grams: int


def columns(_zone: ZoneInfo) -> tuple[Column, ...]:
    return (
        Column("name", ("名字", "name"), words(max_length=20)),
        Column("grams", ("克", "grams"), whole_number(minimum=1, maximum=999)),
    )


def look_up(tx: Session, case: Case, _rows: Sequence[Pebble]) -> dict[str, int]:
    rows = tx.execute(text("SELECT name, grams FROM pebble WHERE programme_id = :id"), {"id": case.programme_id})
    return {str(name): int(grams) for name, grams in rows}


def judge(_case: Case, rows: Sequence[Pebble], known: dict[str, int]) -> Verdict:
    effects = [
        Effect.CREATE if row.name not in known else Effect.SKIP if known[row.name] == row.grams else Effect.UPDATE
        for row in rows
    ]
    before = {
        place: {"grams": str(known[row.name])} for place, row in enumerate(rows) if effects[place] is Effect.UPDATE
    }
    return Verdict({}, effects, before)


def pebbles(during: During = lambda tell: tell(1), *, name: str = "pebbles") -> Imports:
    """Declare them; `during` happens after the rows are written and before they are committed."""

    def bring(tx: Session, case: Case, sheet: Accepted[Pebble, dict[str, int]], tell: Tell) -> int:
        statement = text("""
            INSERT INTO pebble SELECT :id, * FROM unnest(CAST(:names AS text[]), CAST(:grams AS int[]))
            ON CONFLICT (programme_id, name) DO UPDATE SET grams = excluded.grams
        """)
        names, grams = [row.name for row in sheet.rows], [row.grams for row in sheet.rows]
        tx.execute(statement, {"id": case.programme_id, "names": names, "grams": grams})
        during(tell)
        return 0

    kind = ImportKind(
        name=name, permission="attendance.import", row=Pebble, columns=columns, look_up=look_up, judge=judge,
        bring=bring, examples=(("EXAMPLE", "1"),),
    )  # fmt: skip
    return Imports("ledger", kind)


class Desk:
    """One programme's imports of pebbles."""

    def __init__(self, database: Database, imports: Imports) -> None:
        self.database, self.imports, self.programme = database, imports, uuid4()
        self.kind = imports.kinds["pebbles"]
        self.scope = Scope(self.programme, ["pebbles"])

    def using(self, imports: Imports) -> "Desk":
        """Be the same with another release of the code."""
        other = Desk(self.database, imports)
        other.programme, other.scope = self.programme, self.scope
        return other

    def stage(self, *rows: tuple[object, ...], now: datetime = NOW, size: int = 0) -> UUID:
        content = "\n".join(["name,grams", *(",".join(map(str, row)) for row in rows)]).encode()
        upload = Upload(self.programme, uuid4(), "UTC", "p.csv", io.BytesIO(content), size)
        with self.database.transaction() as tx:
            return stage(tx, self.kind, upload, now=now).id

    def order(self, import_id: UUID, *, skip_rejected: bool = False) -> None:
        with self.database.transaction() as tx:
            committing.order(
                tx, self.imports.task, self.scope, import_id, skip_rejected=skip_rejected, by=uuid4()
            )  # fmt: skip

    def work(self) -> None:
        """Do everything that is asked for, each run as often as its limits allow."""
        working = Working(self.database, [self.imports.work], [], service="ledger")
        while working.turn():
            pass

    def standing(self, import_id: UUID) -> Import:
        with self.database.transaction() as tx:
            return Import.of(queries.get_standing(tx, self.scope, import_id))

    def bring(self, *rows: tuple[object, ...]) -> Import:
        import_id = self.stage(*rows)
        self.order(import_id)
        self.work()
        return self.standing(import_id)

    def pebbles(self) -> dict[str, int]:
        with self.database.transaction() as tx:
            return look_up(tx, Case(self.programme, uuid4(), "UTC", uuid4(), NOW), [])

    def count(self, table: str) -> int:
        with self.database.transaction() as tx:
            return int(tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  Ours.
