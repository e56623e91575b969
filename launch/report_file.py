"""`report season --out`: the season report as a file."""

import base64
import json
from pathlib import Path
from typing import Final, Literal

from launch import season_paper
from launch.out_file import require_writable, write_whole
from launch.reach import Reached
from launch.report import Figures
from shared import clock
from shared.documents import spreadsheets, typesetting

WRITERS: Final = {".pdf": typesetting.typeset, ".xlsx": spreadsheets.write_book}


def require_target(path: Path) -> Path:
    """Return a path at which the report can be written, before anybody is asked anything. Raises CannotWrite."""
    return require_writable(path, endings=list(WRITERS))


def write(path: Path, found: Figures, way: Reached, *, language: Literal["zh", "en"]) -> None:
    """Write the report in the form that the path's ending names. Raises Problem, Unreachable, CannotWrite."""
    season = season_paper.Season(found, season_paper.spans(way.api, way.token))
    programme = _programme_of(way.token)
    paper = season_paper.paper_of(season, language=language, programme=programme, issued_at=clock.now())
    write_whole(path, WRITERS[path.suffix.lower()](paper))


def _programme_of(token: str) -> str:
    """Read for which programme a token speaks; only to name it: whoever was asked has verified it."""
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return str(claims.get("programme_id", ""))
