"""The golden JSON Schemas: what each event type promised to its readers, under review.

`python -m shared.events.golden` writes them anew, unless a promise would be broken; read the difference in git before
you commit it. A contract changes by optional fields; anything else is a `v2` beside the `v1`.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.events.base import Event
from shared.events.compatibility import PARTITION_KEY, breaches
from shared.events.registry import contracts

FOLDER = Path(__file__).parent / "schemas"
CURE = "Nothing was written: leave each contract as it was promised and put a `v2` beside it."

Contracts = Mapping[str, type[Event]]


class PromiseBroken(Exception):
    """Contracts no longer keep what their golden schemas promise; `lines` name each breach."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def promise_of(model: type[Event]) -> dict[str, Any]:
    """Return what a reader may rely on: the fields, and which of them orders the facts."""
    return model.model_json_schema(mode="validation") | {PARTITION_KEY: model.key}


def schema_of(model: type[Event]) -> str:
    """Return the same as text that a person can compare line by line."""
    return json.dumps(promise_of(model), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def write(folder: Path = FOLDER, models: Contracts | None = None) -> list[Path]:
    """Write every contract's schema and return the files. Raises PromiseBroken, with nothing written."""
    models = contracts() if models is None else models
    broken = [*_broken(folder, models)]
    if broken:
        raise PromiseBroken(broken)
    folder.mkdir(exist_ok=True)
    files = {folder / f"{event_type}.json": model for event_type, model in models.items()}
    for path, model in files.items():
        path.write_text(schema_of(model), "utf-8")
    return list(files)


def _broken(folder: Path, models: Contracts) -> Iterator[str]:
    """Compare the files that are there with what would be written over them."""
    for path in sorted(folder.glob("*.json")):
        model = models.get(path.stem)
        if model is None:
            yield f"{path.stem}: told no more; if no reader, queue or archive holds it, remove {path.name} by hand"
            continue
        try:
            promised = json.loads(path.read_text("utf-8"))
        except ValueError:
            yield f"{path.stem}: its golden schema is not JSON; take {path.name} from git again"
            continue
        yield from (f"{path.stem}: {breach}" for breach in breaches(promised, promise_of(model)))


def main() -> int:
    """Write the schemas and name them, or name each breach; return the exit code."""
    try:
        sys.stdout.writelines(f"{path}\n" for path in write())
    except PromiseBroken as broken:
        sys.stderr.writelines(f"{line}\n" for line in [*broken.lines, CURE])
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
