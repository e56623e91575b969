"""Examples for the OpenAPI document, made from its schemas: visibly synthetic, and the same on every run.

A field or a model that says its own `examples` is believed; the others get what their type and name suggest.
"""

from typing import Any

Schema = dict[str, Any]
Schemas = dict[str, Schema]
Json = dict[str, Any] | list[Any] | str | int | float | bool | None

BY_FORMAT = {
    "uuid": "01830000-0000-7000-8000-000000000022",
    "date": "2022-09-03",
    "date-time": "2022-09-03T01:00:00Z",
    "binary": "synthetic sheet",
}
SMALL = 22


def example_of(schema: Schema, schemas: Schemas, *, name: str = "value", sent: bool = False) -> Json:
    """Return a value that a schema allows; of an object that is `sent`, only what must be there or has an example."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name=name, sent=sent)
    if "examples" in schema:
        return _first(schema["examples"])
    for word in ("const", "default"):
        if schema.get(word) is not None:
            return _first([schema[word]])
    if "enum" in schema:
        return _first(schema["enum"])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return example_of(schema[word][0], schemas, name=name, sent=sent)
    return _of_type(schema, schemas, name=name, sent=sent)


def _of_type(schema: Schema, schemas: Schemas, *, name: str, sent: bool) -> Json:
    match schema.get("type"):
        case "object":
            return _object(schema, schemas, sent=sent)
        case "array":
            return [example_of(schema["items"], schemas, name=name.removesuffix("s"), sent=sent)]
        case "integer" | "number":
            return int(min(max(SMALL, schema.get("minimum", SMALL)), schema.get("maximum", SMALL)))
        case "boolean":
            return True
        case "string":
            return _text(schema, name)
        case _:
            return None


def _object(schema: Schema, schemas: Schemas, *, sent: bool) -> dict[str, Any]:
    wanted = schema.get("properties", {})
    if sent:
        required = schema.get("required", ())
        wanted = {name: part for name, part in wanted.items() if name in required or "examples" in part}
    return {name: example_of(part, schemas, name=name, sent=sent) for name, part in wanted.items()}


def _text(schema: Schema, name: str) -> str:
    if "format" in schema:
        return str(BY_FORMAT[schema["format"]])
    if "contentMediaType" in schema:
        return BY_FORMAT["binary"]
    return f"synthetic {name.replace('_', ' ')}"[: schema.get("maxLength")]


def _first(values: list[Json]) -> Json:
    return values[0]
