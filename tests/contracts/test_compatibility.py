"""The gate before a contract's change: each kind of breach is named, and what may change passes."""

from datetime import date
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from shared.events.base import Event
from shared.events.compatibility import breaches
from shared.events.golden import promise_of

OLD_READERS = "readers of the old refuse new facts"
OLD_FACTS = "readers of the new refuse facts that were told"


class Kind(StrEnum):
    WET = "wet"
    DRY = "dry"
    FOG = "fog"


class Part(BaseModel):
    size: int
    kind: Kind


class Tree(BaseModel):
    height: int
    branches: list["Tree"] = []


class Taller(BaseModel):
    height: str
    branches: list["Taller"] = []


class Greener(BaseModel):
    height: int
    branches: list["Greener"] = []
    leaves: int = 0


class Told(Event):
    """A contract with one of each kind of field."""

    type: ClassVar[str] = "weather.station.told.v1"
    key: ClassVar[str] = "station_id"


class Keyed(Event):
    type: ClassVar[str] = "weather.station.told.v1"
    key: ClassVar[str] = "observer_id"


FIELDS: dict[str, Any] = {
    "station_id": (UUID, ...),
    "observer_id": (UUID, ...),
    "minutes": (int, Field(ge=0, le=600)),
    "seen_on": (date, ...),
    "kind": (Kind, ...),
    "parts": (list[Part], ...),
    "counts": (dict[str, int], ...),
    "tree": (Tree, ...),
    "grade": (int, 1),
    "previous_id": (UUID | None, None),
}


def schema(*, base: type[Event] = Told, **changes: Any) -> dict[str, Any]:
    """Make the contract's schema with some fields changed, added, or (None) gone."""
    fields = {name: field for name, field in (FIELDS | changes).items() if field is not None}
    return promise_of(create_model("Told", __base__=base, **fields))


def kinds(*values: str) -> Any:
    return StrEnum("Kind", {value.upper(): value for value in values})


def part(name: str = "Part", **changes: Any) -> Any:
    """Make the list of parts with some of a part's fields changed, added, or (None) gone."""
    fields = {"size": (int, ...), "kind": (Kind, ...)} | changes
    kept: dict[str, Any] = {field: what for field, what in fields.items() if what is not None}
    one: Any = create_model(name, **kept)
    return (list[one], ...)


BROKEN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "removed": ({"minutes": None}, ["minutes: removed"]),
    "optional one removed": ({"grade": None}, ["grade: removed"]),
    "renamed": (
        {"minutes": None, "duration": FIELDS["minutes"]},
        ["minutes: removed, or renamed to `duration`", f"duration: new and required: {OLD_FACTS}"],
    ),
    "renamed and optional": (
        {"grade": None, "mark": (int, 1)},
        ["grade: removed, or renamed to `mark`"],
    ),
    "another type": ({"station_id": (int, ...)}, [
        'station_id: format was "uuid", is absent', 'station_id: type was "string", is "integer"',
    ]),
    "a wider type": ({"grade": (float, 1)}, ['grade: type was "integer", is "number"']),
    "another format": ({"seen_on": (AwareDatetime, ...)}, ['seen_on: format was "date", is "date-time"']),
    "no format": ({"station_id": (str, ...)}, ['station_id: format was "uuid", is absent']),
    "may be null": ({"kind": (Kind | None, ...)}, [
        'kind: anyOf was absent, is [{"$ref": "#/$defs/Kind"}, {"type": "null"}]', 'kind: type was "string", is absent',
        'kind: enum was ["wet", "dry", "fog"], is absent',
    ]),
    "one of the union's types changed": (
        {"previous_id": (int | None, None)},
        ['previous_id[]: format was "uuid", is absent', 'previous_id[]: type was "string", is "integer"'],
    ),
    "a value more": ({"kind": (kinds("wet", "dry", "fog", "icy"), ...)}, [f'kind: value "icy" added: {OLD_READERS}']),
    "a value less": ({"kind": (kinds("wet", "dry"), ...)}, [f'kind: value "fog" removed: {OLD_FACTS}']),
    "a value renamed": ({"kind": (kinds("wet", "arid", "fog"), ...)}, [
        f'kind: value "dry" removed: {OLD_FACTS}', f'kind: value "arid" added: {OLD_READERS}',
    ]),
    "tighter from below": (
        {"minutes": (int, Field(ge=1, le=600))}, [f"minutes: minimum was 0, is 1: {OLD_FACTS}"],
    ),
    "looser from below": (
        {"minutes": (int, Field(ge=-1, le=600))}, [f"minutes: minimum was 0, is -1: {OLD_READERS}"],
    ),
    "open below": ({"minutes": (int, Field(le=600))}, [f"minutes: minimum was 0, is absent: {OLD_READERS}"]),
    "tighter from above": (
        {"minutes": (int, Field(ge=0, le=599))}, [f"minutes: maximum was 600, is 599: {OLD_FACTS}"],
    ),
    "looser from above": (
        {"minutes": (int, Field(ge=0, le=601))}, [f"minutes: maximum was 600, is 601: {OLD_READERS}"],
    ),
    "closed above": ({"grade": (int, Field(default=1, le=5))}, [f"grade: maximum was absent, is 5: {OLD_FACTS}"]),
    "new and required": ({"rain": (int, ...)}, [f"rain: new and required: {OLD_FACTS}"]),
    "no longer required": (
        {"minutes": (int, Field(default=0, ge=0, le=600))}, [f"minutes: was required, is optional: {OLD_READERS}"],
    ),
    "now required": ({"grade": (int, ...)}, [f"grade: was optional, is required: {OLD_FACTS}"]),
    "another default": ({"grade": (int, 2)}, ["grade: default was 1, is 2: a fact without it is read in two ways"]),
    "within a list: another type": (
        {"parts": part(size=(str, ...))}, ['parts[].size: type was "integer", is "string"'],
    ),
    "within a list: new and required": (
        {"parts": part(rain=(int, ...))}, [f"parts[].rain: new and required: {OLD_FACTS}"],
    ),
    "within a list: removed": ({"parts": part(size=None)}, ["parts[].size: removed"]),
    "within a list: a value more": (
        {"parts": part(kind=(kinds("wet", "dry", "fog", "icy"), ...))},
        [f'parts[].kind: value "icy" added: {OLD_READERS}'],
    ),
    "a list's own limit": (
        {"parts": (list[Part], Field(min_length=1))}, [f"parts: minItems was absent, is 1: {OLD_FACTS}"],
    ),
    "values of a map": ({"counts": (dict[str, str], ...)}, ['counts[]: type was "integer", is "string"']),
    "within a contract that holds itself": (
        {"tree": (Taller, ...)}, ['tree.height: type was "integer", is "string"'],
    ),
    "another key": ({"base": Keyed}, ['the fact: x-partition-key was "station_id", is "observer_id"']),
}  # fmt: skip

KEPT: dict[str, dict[str, Any]] = {
    "nothing": {},
    "new and optional": {"rain": (int, 0)},
    "new and null where missing": {"rain": (int | None, None)},
    "new and made at need": {"rain": (list[int], Field(default_factory=list))},
    "new, of a new kind": {"wind": (kinds("low", "high"), "low")},
    "another title and description": {"minutes": (int, Field(ge=0, le=600, title="Duration", description="How long."))},
    "marked as deprecated": {"grade": (int, Field(default=1, deprecated=True))},
    "an example": {"grade": (int, Field(default=1, examples=[3]))},
    "values in another order": {"kind": (kinds("fog", "dry", "wet"), ...)},
    "another name of a part": {"parts": part("Piece")},
    "new and optional within a list": {"parts": part(rain=(int, 0))},
    "new and optional where it holds itself": {"tree": (Greener, ...)},
}


@pytest.mark.parametrize("what", BROKEN)
def test_each_kind_of_breach_is_named(what: str) -> None:
    """By field, with what was and what is, and who would be hurt."""
    changes, named = BROKEN[what]

    assert sorted(map(str, breaches(schema(), schema(**changes)))) == sorted(named)


@pytest.mark.parametrize("what", KEPT)
def test_what_may_change_passes(what: str) -> None:
    """Fields that may be missing, and words for people."""
    assert breaches(schema(), schema(**KEPT[what])) == []


def test_a_contract_that_takes_nothing_new_may_get_nothing_new() -> None:
    """A reader that is not tolerant would refuse even an optional field."""
    strict = create_model("Strict", __config__=ConfigDict(extra="forbid"), size=(int, ...))
    more = create_model("Strict", __config__=ConfigDict(extra="forbid"), size=(int, ...), rain=(int, 0))

    assert [str(breach) for breach in breaches(schema(parts=(strict, ...)), schema(parts=(more, ...)))] == [
        f"parts.rain: new where nothing new was allowed: {OLD_READERS}"
    ]


def test_a_key_that_was_never_written_down_may_be() -> None:
    """The first golden schemas did not name it; what is named stays."""
    unsaid = {keyword: value for keyword, value in schema().items() if keyword != "x-partition-key"}

    assert breaches(unsaid, schema()) == []
    assert [str(breach) for breach in breaches(schema(), unsaid)] == [
        'the fact: x-partition-key was "station_id", is absent'
    ]


KINDS: dict[str, tuple[Any, Any]] = {
    "whole": (int, 0),
    "day": (date, None),
    "id": (UUID, None),
    "list": (list[int], []),
}
drafts = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.sampled_from(sorted(KINDS)), st.booleans()))


def drawn(draft: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    fields = {name: (KINDS[kind][0], ... if required else KINDS[kind][1]) for name, (kind, required) in draft.items()}
    return promise_of(create_model("Told", __base__=Told, **fields, station_id=(UUID, ...)))  # type: ignore[call-overload]  # Drawn.


@settings(deadline=None)  # Models take time to make on a busy machine.
@given(old=drafts, new=drafts)
def test_two_contracts_fit_if_the_old_is_kept_and_the_rest_is_optional(
    old: dict[str, tuple[str, bool]], new: dict[str, tuple[str, bool]]
) -> None:
    """Whatever fields two contracts have, the gate says what its rule says."""
    keeps = all(new.get(name) == field for name, field in old.items())
    adds_optional = not any(required for name, (_, required) in new.items() if name not in old)

    assert (breaches(drawn(old), drawn(new)) == []) == (keeps and adds_optional)
