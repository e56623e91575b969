"""`./popcandy serve`: roles of one service, or the console; what the others would need is not loaded."""

from launch.roles import Wanted
from launch.workers import Crew
from shared.settings import Settings

CONSOLE = "console"


def start(wanted: Wanted, settings: Settings, crew: Crew) -> str:
    """Start what is wanted in `crew`; return where it is reached, empty for a role without HTTP. Raises Hindrance."""
    if wanted.service == CONSOLE:
        from launch.roles import console  # noqa: PLC0415  It reaches no database and no bus, and loads neither.

        return console.start(wanted, settings, crew)
    from launch.roles import service  # noqa: PLC0415  The console is not loaded beside it.

    return service.start(wanted, settings, crew)
