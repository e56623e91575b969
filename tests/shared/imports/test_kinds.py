"""A declaration that cannot work is refused when it is loaded."""

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.imports.desk import Imports
from shared.roles import Role
from tests.shared.imports.pebbles import columns, pebbles

KIND = pebbles().kinds["pebbles"]


def test_a_permission_that_is_not_declared_is_an_error() -> None:
    """A slip of the pen must not open it, nor close it silently."""
    with pytest.raises(KeyError):
        replace(KIND, permission="pebbles.throw")


def test_columns_are_the_fields_of_a_row() -> None:
    """In their order: staged rows are kept by place."""
    with pytest.raises(ValueError, match="columns"):
        replace(KIND, columns=lambda zone: columns(zone)[::-1])


@pytest.mark.parametrize("example", [("EXAMPLE",), ("flint", "1")])
def test_an_example_is_whole_and_bears_its_mark(example: tuple[str, ...]) -> None:
    """Or somebody would import it by accident."""
    with pytest.raises(ValueError, match="example"):
        replace(KIND, examples=(example,))


def test_a_name_is_one_kinds() -> None:
    """It is an address."""
    with pytest.raises(ValueError, match="same name"):
        Imports("ledger", KIND, KIND)


def test_a_caller_sees_the_kinds_that_their_roles_may_import() -> None:
    """And no others."""
    imports = Imports("ledger", KIND)
    programme = uuid4()
    assert imports.scope(programme, frozenset({Role.OPERATOR})).kinds == ["pebbles"]
    assert imports.scope(programme, frozenset({Role.AUDITOR})).kinds == []
