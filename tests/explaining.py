"""How PostgreSQL answers a statement: deterministic where time is not."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session


def plan_of(tx: Session, statement: Select[*tuple[Any, ...]], *, options: str = "") -> dict[str, Any]:
    """Return the plan of a statement; with `ANALYZE, BUFFERS` also what it read."""
    compiled = statement.compile(tx.get_bind(), compile_kwargs={"render_postcompile": True})
    explain = ", ".join(filter(None, ("FORMAT JSON", options)))
    found: Any = tx.connection().exec_driver_sql(f"EXPLAIN ({explain}) {compiled}", dict(compiled.params)).scalar_one()
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every node of a plan."""
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes_of(each)
