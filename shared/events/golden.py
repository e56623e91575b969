"""The golden JSON Schemas: what each event type promised to its readers, under review.

`python -m shared.events.golden` writes them anew; read the difference in git before you commit it. A contract changes
by optional fields; anything else is a `v2` beside the `v1`.
"""

import json
import sys
from pathlib import Path

from shared.events.base import Event
from shared.events.registry import contracts

FOLDER = Path(__file__).parent / "schemas"


def schema_of(model: type[Event]) -> str:
    """Return what a reader may rely on, as text that a person can compare line by line."""
    schema = model.model_json_schema(mode="validation")
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def write() -> list[Path]:
    """Write every schema and remove those of types that are gone; return the files."""
    FOLDER.mkdir(exist_ok=True)
    written = []
    for event_type, model in contracts().items():
        path = FOLDER / f"{event_type}.json"
        path.write_text(schema_of(model), "utf-8")
        written.append(path)
    for stale in set(FOLDER.glob("*.json")) - set(written):
        stale.unlink()
    return written


if __name__ == "__main__":
    sys.stdout.writelines(f"{path}\n" for path in write())
