"""What Python's collector of cycles looks at, in a process that has started."""

import json
import subprocess
import sys

from tests.faults.processes import ROOT

_LOADED_AND_LATER = """
import gc, json
from launch.memory import keep_what_is_loaded
import launch.cli

class Node:
    pass

keep_what_is_loaded()
node = Node()
node.itself = node
del node
print(json.dumps({"kept": gc.get_freeze_count(), "looked_at": len(gc.get_objects()), "found": gc.collect()}))
"""


def test_what_is_loaded_is_looked_at_no_more_and_what_comes_later_is() -> None:
    """A full collection goes through what is in hand, not through every module; cycles made from now on are found."""
    command = [sys.executable, "-c", _LOADED_AND_LATER]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603  Ours.
    found = json.loads(said)

    assert found["kept"] > 50 * found["looked_at"]
    assert found["found"] >= 1
