"""Schemathesis against one service in this process, over a real PostgreSQL: every phase, every check, a fixed seed."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import schemathesis
from fastapi import FastAPI
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

SEED = 22
PHASES = ("examples", "coverage", "fuzzing", "stateful")
RULE_OF_OURS = "positive_data_acceptance"


@dataclass
class Found:
    """What a run called, and what was wrong with the answers."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    checks: set[str] = field(default_factory=set)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)  # By check and operation, the first of each.
    errors: list[str] = field(default_factory=list)
    phases: dict[str, str] = field(default_factory=dict)


def fuzz(
    app: FastAPI, name: str, *, examples: int, headers: Mapping[str, str], known: Mapping[str, str],
    paths: str = ".*", phases: Collection[str] = PHASES,
) -> Found:  # fmt: skip
    """Call a service's operations; `known` are values for parameters, so that there is something behind them.

    `paths` is a pattern of the addresses that are called, in these phases.
    """
    load_all_checks()
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "headers": dict(headers),
            "parameters": dict(known),
            "continue-on-failure": True,
            "phases": {phase: {"enabled": phase in phases} for phase in PHASES},
            "generation": {"max-examples": examples, "database": "none"},
            "checks": {check: {"enabled": True} for check in CHECKS.get_all_names()},
        }
    )
    found = Found()
    document = schemathesis.openapi.from_asgi(f"/api/{name}/openapi.json", app, config=config)
    for event in from_schema(document.include(path_regex=paths)).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(found, event)
        elif isinstance(event, events.PhaseFinished):
            found.phases[event.phase.name.name.lower()] = event.status.value
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.errors.append(str(getattr(event, "info", None) or getattr(event, "exception", event)))
    return found


def _note(found: Found, scenario: events.ScenarioFinished) -> None:
    for case_id, checks in scenario.recorder.checks.items():
        interaction = scenario.recorder.interactions.get(case_id)
        if interaction is None or interaction.response is None:
            continue
        found.cases += 1
        found.statuses[interaction.response.status_code] += 1
        for check in checks:
            found.checks.add(check.name)
            if check.status is Status.FAILURE and not _is_rule_of_ours(check.name, interaction.response):
                request, answer = interaction.request, interaction.response
                failure: Any = check.failure_info.failure if check.failure_info else None
                sent = f"{request.method} {request.uri} {request.body!r:.300}"
                key = check.name, str(scenario.label or _label(scenario, case_id))
                found.failures.setdefault(key, f"{sent} -> {answer.status_code} {answer.text:.300}: {failure!s:.300}")


def _label(scenario: events.ScenarioFinished, case_id: str) -> str:
    return str(scenario.recorder.cases[case_id].value.operation.label)


def _is_rule_of_ours(check: str, answer: Any) -> bool:
    """Say whether data that fits its schema was refused by a rule over several fields, with that rule's own code.

    A schema cannot say that a shift ends after it begins. That the code is documented is another check's business.
    """
    return check == RULE_OF_OURS and orjson.loads(answer.content).get("code") != "invalid_input"
