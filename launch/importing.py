"""A caller who sends in a sheet and waits until it is brought in, as a front end would."""

import time
from threading import Event as Flag
from typing import Any

from launch.client import Api
from launch.refused import Problem
from shared.errors import Hindrance

LOOK_SECONDS = 0.05  # The first look; each later one waits a little longer.
SLOWEST_LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 1_800.0


class StillCommitting(Hindrance):
    """A worker has not brought a sheet in for half an hour."""


def bring_in(
    api: Api, kind: str, name: str, content: bytes, *, token: str, timezone: str = "Asia/Shanghai"
) -> dict[str, Any]:  # fmt: skip
    """Stage a sheet of activities, have it committed and return it when it is; a rejected row would stop the commit.

    Raises Problem when a door refuses or the import fails, Unreachable, StillCommitting.
    """
    path = "/api/activities/imports"
    staged = api.upload(f"{path}/{kind}", name, content, token=token, timezone=timezone)
    found = dict(api.post(f"{path}/{staged['id']}/commit", {}, token=token))
    pause, deadline = LOOK_SECONDS, time.monotonic() + PATIENCE_SECONDS
    while found["state"] == "committing":
        if time.monotonic() > deadline:
            raise StillCommitting(f"import {staged['id']} is at {found['done']} of {found['total']} rows")
        Flag().wait(pause)
        pause = min(pause * 1.2, SLOWEST_LOOK_SECONDS)
        found = dict(api.get(f"{path}/{staged['id']}", token=token))
    if found["state"] != "committed":
        failure = found["failure"] or {"code": found["state"], "en": "The import was not brought in"}
        raise Problem(409, failure["code"], f"{failure['en']} {failure.get('facts', '')}".strip())
    return found
