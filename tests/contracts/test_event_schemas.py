"""Event contracts: what readers may rely on does not change by accident, and names nobody."""

import re
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import ValidationError

from launch.services import SERVICES
from shared.events.base import Event
from shared.events.golden import FOLDER, schema_of
from shared.events.registry import contracts
from tests.factories.ledger import make_settled

HOW = (
    "the contract {} differs from its golden schema. A reader may still have the old one: add optional fields only, or "
    "put a `v2` beside it. If that is so, run `python -m shared.events.golden` and read the difference in git."
)
TYPE = re.compile(r"[a-z]+(?:\.[a-z_]+){2}\.v[1-9]\d*")
PERSONAL = {
    "name", "phone", "mobile", "email", "mail", "address", "contact", "birth", "birthday", "gender", "account", "bank",
    "card", "passport", "identity", "wechat", "employee", "note", "comment", "text", "remark",
}  # fmt: skip

TO_COME = {"partners"}  # What is heard of them already has its contract.
# Codes by a pattern, names of organisations and titles of public things may travel (DOMAIN.md section 8); lots, hashes.
PUBLIC = {
    ("activities.shift.drawn.v1", "commitment"), ("activities.shift.drawn.v1", "seed"),
    ("activities.day.manifested.v1", "sha256"),
    ("partners.partner.signed.v1", "reference"), ("partners.partner.signed.v1", "title"),
    ("partners.partner.standing_changed.v1", "cause"), ("partners.partner.exited.v1", "cause"),
}  # fmt: skip

every_contract = pytest.mark.parametrize("model", contracts().values(), ids=contracts())


@every_contract
def test_a_contract_is_as_its_golden_schema_says(model: type[Event]) -> None:
    """A change of what is told is seen in review, as a difference of its schema."""
    path = FOLDER / f"{model.type}.json"

    assert path.exists(), f"{model.type} has no golden schema: run `python -m shared.events.golden`"
    assert path.read_text("utf-8") == schema_of(model), HOW.format(model.type)


def test_no_golden_schema_outlives_its_contract() -> None:
    """What nobody tells any more is removed on purpose, not forgotten."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(contracts())


@every_contract
def test_a_type_names_its_service_aggregate_fact_and_version(model: type[Event]) -> None:
    """`activities.attendance.settled.v1`: routing and rights are read off it."""
    assert TYPE.fullmatch(model.type)
    assert model.type.split(".")[0] in {service.name for service in SERVICES} | TO_COME
    module = model.__module__.rpartition(".")[2]  # `activities`, or a part of it: `activities_claims`.
    assert model.type.split(".")[0] == module.partition("_")[0]


@every_contract
def test_the_key_is_a_field_that_is_always_there(model: type[Event]) -> None:
    """Every fact has its place in one stream."""
    assert model.model_fields[model.key].is_required()


def test_a_fact_is_frozen_and_tolerates_what_is_new() -> None:
    """What was told stays told; a field from a newer publisher is no fault."""
    told = make_settled()
    with pytest.raises(ValidationError, match="frozen"):
        told.version = 2  # type: ignore[misc]  # That it may not is the point.

    assert type(told).model_validate(told.model_dump() | {"weather": "rain"}) == told


@every_contract
def test_every_contract_is_frozen_and_tolerant(model: type[Event]) -> None:
    """None opts out."""
    assert (model.model_config.get("frozen"), model.model_config.get("extra")) == (True, "ignore")


@every_contract
def test_no_field_carries_personal_data(model: type[Event]) -> None:
    """Ids and values only: who needs a name asks the owning service. Free text could hold anything."""
    for name, field in model.model_fields.items():
        assert PERSONAL.isdisjoint(name.split("_")), f"{model.type}: {name}"
        is_public = (model.type, name) in PUBLIC
        assert is_public == _is_free_text(field.annotation), f"{model.type}: {name} is free text"


def _is_free_text(annotation: Any) -> bool:
    kinds = [
        get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in get_args(annotation) or [annotation]
    ]
    return any(isinstance(kind, type) and issubclass(kind, str) and not issubclass(kind, Enum) for kind in kinds)
