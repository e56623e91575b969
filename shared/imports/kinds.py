"""What a service declares to get an import: the columns, what makes a row good, and how rows are brought in.

    VOLUNTEERS = ImportKind(
        name="volunteers",                      # its address: POST /imports/volunteers
        permission="volunteers.import",
        row=VolunteerRow,                       # a NamedTuple; its fields are the columns' names
        columns=rules.columns,                  # of the time zone in which local times are meant
        look_up=queries.known_names,            # the facts that rows are judged by, set-wise
        judge=rules.judge,                      # pure: objections, and what each good row does
        bring=actions.bring,                    # set-wise; all in the commit's one transaction
        examples=rules.EXAMPLES,                # of the template; each has a text that begins with EXAMPLE
    )

At the commit `lock` comes first, then the facts are looked up and the rows judged once more: what is not as the preview
showed it stops the import (ImportOutdated), before `bring` is called. That returns how many of the new rows somebody
else had brought in meanwhile, the same: 0 where `lock` rules that out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from shared.documents.columns import Column
from shared.documents.templates import Template, an_example, is_example
from shared.imports.judging import Case, Verdict
from shared.roles import reach_of

R = TypeVar("R", bound=tuple[Any, ...])
F = TypeVar("F")
Tell = Callable[[int], None]  # How many rows are done.


@dataclass(frozen=True, slots=True)
class Accepted(Generic[R, F]):
    """Rows without objections, with the facts that they were judged by and what each of them does."""

    rows: Sequence[R]
    facts: F
    verdict: Verdict


def _nothing(_tx: Session, _case: Case, _rows: Sequence[Any]) -> None:
    """Lock nothing."""


@dataclass(frozen=True)
class ImportKind(Generic[R, F]):
    """One kind of sheet that a service takes in."""

    name: str
    permission: str
    row: type[R]
    columns: Callable[[ZoneInfo], Sequence[Column]]
    look_up: Callable[[Session, Case, Sequence[R]], F]
    judge: Callable[[Case, Sequence[R], F], Verdict]
    bring: Callable[[Session, Case, Accepted[R, F], Tell], int]
    examples: Sequence[Sequence[str]]
    lock: Callable[[Session, Case, Sequence[R]], None] = _nothing

    def __post_init__(self) -> None:
        """Check the declaration. Raises KeyError, ValueError."""
        reach_of(self.permission, ())
        columns = self.columns(ZoneInfo("UTC"))
        if [column.name for column in columns] != list(cast("Any", self.row)._fields):
            raise ValueError(f"{self.name}: the columns are not the fields of a row")
        for example in self.examples:
            if len(example) != len(columns) or not is_example(example):
                raise ValueError(f"{self.name}: an example has a cell for each column, and one begins with EXAMPLE")

    @property
    def template(self) -> Template:
        """What is downloaded and filled in."""
        return Template(self.columns(ZoneInfo("UTC")), self.examples)

    def make(self, values: dict[str, Any]) -> R:
        """Make a row of values by column."""
        return cast("Callable[..., R]", self.row)(**values)

    @cached_property
    def reader(self) -> "TypeAdapter[list[R]]":
        """What reads staged rows back: instants and the like are written as text in between."""
        return TypeAdapter(list[self.row])  # type: ignore[name-defined]  # The class is a value here, and that is meant.

    def judged(self, tx: Session, case: Case, rows: Sequence[R]) -> tuple[F, Verdict]:
        """Judge rows by what is recorded now. A template's example is never good."""
        facts = self.look_up(tx, case, rows)
        verdict = self.judge(case, rows, facts)
        first = cast("Any", self.row)._fields[0]
        for place, row in enumerate(rows):
            if is_example(row):
                verdict.objections[place] = {first: an_example()}
        return facts, verdict
