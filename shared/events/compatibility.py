"""Whether a contract keeps what it promised: an old and a new JSON Schema of one event type, compared.

Facts travel between versions in both directions. A reader that is not yet deployed anew gets what the new publisher
tells; a new reader gets what still waits in outboxes, queues, dead letters and archives. So whatever fits one schema
has to fit the other: what passes is a new field that may be missing, and words for people.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

Schema = Mapping[str, Any]

PARTITION_KEY = "x-partition-key"  # Which field orders the facts: a promise that JSON Schema has no word for.
FOR_PEOPLE = {"$defs", "title", "description", "examples", "deprecated"}  # No reader's behaviour hangs on these.
WALKED = {"$ref", "properties", "required", "enum", "default"}  # Compared by their meaning, not by their text.
LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}

OLD_READERS = "readers of the old refuse new facts"
OLD_FACTS = "readers of the new refuse facts that were told"
AMBIGUOUS = "a fact without it is read in two ways"
ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Breach:
    """One promise that a new schema does not keep; an empty `field` is the fact as a whole."""

    field: str
    what: str

    def __str__(self) -> str:
        """Read as one line."""
        return f"{self.field or 'the fact'}: {self.what}"


def breaches(old: Schema, new: Schema) -> list[Breach]:
    """Name every promise of `old` that `new` does not keep; none means that either may read what the other told."""
    return list(_Comparison(old, new).of("", old, new, frozenset()))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two whole schemas, in which references are looked up."""

    old_root: Schema
    new_root: Schema

    def of(self, at: str, old: Schema, new: Schema, met: frozenset[tuple[str, str]]) -> Iterator[Breach]:
        """Compare two parts; `met` are the references on the way here, so that a recursive contract ends."""
        references = (old.get("$ref", ""), new.get("$ref", ""))
        if references in met:
            return
        met = met | {references} if all(references) else met
        old, new = _resolved(old, self.old_root), _resolved(new, self.new_root)
        yield from self._keywords(at, old, new, met)
        yield from _values(at, old, new)
        yield from self._fields(at, old, new, met)

    def _keywords(self, at: str, old: Schema, new: Schema, met: frozenset[tuple[str, str]]) -> Iterator[Breach]:
        """Compare what is neither for people nor a field: type, format, limits, parts of lists and unions."""
        unsaid = set() if PARTITION_KEY in old else {PARTITION_KEY}  # The first schemas did not say it.
        for keyword in sorted((old.keys() | new.keys()) - FOR_PEOPLE - WALKED - unsaid):
            was, now = old.get(keyword, ABSENT), new.get(keyword, ABSENT)
            pairs = _parts(was, now)
            if pairs is None and was != now:
                yield Breach(at, _difference(keyword, was, now))
            for part_was, part_now in pairs or ():
                yield from self.of(f"{at}[]", part_was, part_now, met)

    def _fields(self, at: str, old: Schema, new: Schema, met: frozenset[tuple[str, str]]) -> Iterator[Breach]:
        had, has = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        added = {name: has[name] for name in sorted(has.keys() - had.keys())}
        for name in sorted(had.keys() - has.keys()):
            yield Breach(_within(at, name), _gone(had[name], added))
        for name in added:
            if name in needs:
                yield Breach(_within(at, name), f"new and required: {OLD_FACTS}")
            elif old.get("additionalProperties") is False:
                yield Breach(_within(at, name), f"new where nothing new was allowed: {OLD_READERS}")
        for name in sorted(had.keys() & has.keys()):
            yield from _presence(_within(at, name), (name in needed, had[name]), (name in needs, has[name]))
            yield from self.of(_within(at, name), had[name], has[name], met)


def _resolved(part: Schema, root: Schema) -> Schema:
    """Put what a reference names in its place; what stands beside the reference stays."""
    while "$ref" in part:
        beside = {keyword: value for keyword, value in part.items() if keyword != "$ref"}
        part = {**root["$defs"][part["$ref"].rpartition("/")[2]], **beside}
    return part


def _parts(was: object, now: object) -> list[tuple[Schema, Schema]] | None:
    """Pair the schemas within a keyword's values (`items`, `anyOf` …); None if they are no schemas, or do not pair."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        return [(was, now)]
    if _is_schemas(was) and _is_schemas(now) and len(was) == len(now):
        return list(zip(was, now, strict=True))
    return None


def _is_schemas(value: object) -> TypeGuard[list[Schema]]:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


def _values(at: str, old: Schema, new: Schema) -> Iterator[Breach]:
    """Compare enumerations: one value more is no smaller a change than one less."""
    was, now = old.get("enum", ABSENT), new.get("enum", ABSENT)
    if not (isinstance(was, list) and isinstance(now, list)):
        if was is not now:
            yield Breach(at, _difference("enum", was, now))
        return
    for value in was:
        if value not in now:
            yield Breach(at, f"value {_shown(value)} removed: {OLD_FACTS}")
    for value in now:
        if value not in was:
            yield Breach(at, f"value {_shown(value)} added: {OLD_READERS}")


def _presence(at: str, old: tuple[bool, Schema], new: tuple[bool, Schema]) -> Iterator[Breach]:
    """Compare whether a field, each with whether it is required, must be there, and what stands for one that is not."""
    (was_required, was), (is_required, now) = old, new
    if was_required and not is_required:
        yield Breach(at, f"was required, is optional: {OLD_READERS}")
    elif is_required and not was_required:
        yield Breach(at, f"was optional, is required: {OLD_FACTS}")
    elif was.get("default", ABSENT) != now.get("default", ABSENT):
        difference = _difference("default", was.get("default", ABSENT), now.get("default", ABSENT))
        yield Breach(at, f"{difference}: {AMBIGUOUS}")


def _gone(field: Schema, added: Mapping[str, Schema]) -> str:
    """Say that a field is removed, and what it may be called now."""
    like = [f"`{name}`" for name, other in added.items() if _for_machines(other) == _for_machines(field)]
    return f"removed, or renamed to {' or '.join(like)}" if like else "removed"


def _for_machines(field: Schema) -> dict[str, Any]:
    return {keyword: value for keyword, value in field.items() if keyword not in FOR_PEOPLE}


def _difference(keyword: str, was: object, now: object) -> str:
    change = f"{keyword} was {_shown(was)}, is {_shown(now)}"
    if keyword in LEAST | MOST:
        return f"{change}: {OLD_FACTS if _is_tighter(keyword, was, now) else OLD_READERS}"
    return change


def _is_tighter(keyword: str, was: object, now: object) -> bool:
    if isinstance(was, int | float) and isinstance(now, int | float):
        return (now > was) == (keyword in LEAST)
    return was is ABSENT


def _shown(value: object) -> str:
    return "absent" if value is ABSENT else json.dumps(value, ensure_ascii=False)


def _within(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
