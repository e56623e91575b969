"""The tables of contents in the services' READMEs, made from the code: routes, events, tasks and timers."""

import re
from pathlib import Path

from fastapi.routing import APIRoute

from launch import permissions
from launch.services import SERVICES
from shared.events.registry import contracts
from shared.service import Service

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- contents: made by ./popcandy contents -->", "<!-- end of contents -->"


def readme_of(service: Service) -> Path:
    """Say where a service's README is."""
    return ROOT / "services" / service.name / "README.md"


def refreshed(service: Service) -> str:
    """Return a service's README with its contents as the code has them now."""
    text = readme_of(service).read_text("utf-8")
    section = f"{BEGIN}\n{_contents(service)}\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: section, text, flags=re.DOTALL)


def write() -> list[str]:
    """Refresh every service's README and the page of permissions; return their names."""
    for service in SERVICES:
        readme_of(service).write_text(refreshed(service), "utf-8")
    permissions.PATH.write_text(permissions.matrix(), "utf-8")
    return [*(service.name for service in SERVICES), permissions.PATH.name]


def _contents(service: Service) -> str:
    routes = [route for router in service.routers for route in router.routes if isinstance(route, APIRoute)]
    lines = ["| route | does | permission |", "|---|---|---|"]
    lines += [
        f"| `{method} {route.path_format}` | `{route.operation_id}` | {_who(route)} |"
        for route in routes
        for method in sorted(route.methods or ())
    ]
    return "\n".join([*lines, "", *_events(service), "", *_works(service)])


def _who(route: APIRoute) -> str:
    return "open" if permissions.is_open(route) else f"`{permissions.permission_of(route)}`"


def _works(service: Service) -> list[str]:
    tasks = [f"{work.task.name}" for work in service.tasks]
    timers = [f"{timer.name} (`{timer.cron}` {timer.zone.key})" for timer in service.timers]
    return [f"Tasks: {', '.join(tasks) or 'none yet'}.", "", f"Timers: {', '.join(timers) or 'none yet'}."]


def _events(service: Service) -> list[str]:
    told = [name for name in sorted(contracts()) if name.startswith(f"{service.name}.")]
    heard = [f"{event.type} (`{handler.name}`)" for handler in service.handlers for event in handler.events]
    return [f"Tells: {', '.join(told) or 'nothing yet'}.", "", f"Hears: {', '.join(heard) or 'nothing yet'}."]
