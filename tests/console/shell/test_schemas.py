import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from services.console.home import schemas as home
from services.console.phone import schemas as phone
from services.console.shell import schemas
from services.console.shell.rules import Problem
from services.console.shell.schemas import Pages

CONSOLE = Path(schemas.__file__).parents[1]
ALL = {"shell": schemas.PAGES, "phone": phone.PAGES, "home": home.PAGES}
TEXTS = {
    f"{room}.{name}": text
    for pages in ALL.values()
    for room, texts in pages.texts.items()
    for name, text in texts.items()
}


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_is_there_twice_with_the_same_blanks(key: str) -> None:
    """Nobody meets half a language, and no blank stays empty in one of them."""
    text = TEXTS[key]
    assert set(text) == set(schemas.LANGUAGES)
    assert all(text.values())
    assert set(re.findall(r"{\w+}", text["zh"])) == set(re.findall(r"{\w+}", text["en"]))


@pytest.mark.parametrize(("name", "pages"), ALL.items(), ids=ALL)
def test_every_text_that_a_template_names_exists(name: str, pages: Pages) -> None:
    """A missing text would be an error page on somebody's phone."""
    written = [path.read_text("utf-8") for path in (CONSOLE / name / "templates").rglob("*.html")]
    named = re.findall(r'\bt\("(\w+)\.(\w+)"[,)]', "".join(written))
    assert named
    assert [key for key in named if key[1] not in pages.texts[key[0]]] == []


def test_a_template_that_lacks_something_says_so() -> None:
    """A silent blank would hide a mistake."""
    with pytest.raises(UndefinedError):
        schemas.PAGES.write("fault.html", language="zh", other="en", other_url="?", reader=None)


def test_an_outcome_survives_its_journey_in_a_cookie() -> None:
    """What the API refused is what the next page says."""
    problem = Problem("wrong_code", "签到码不正确", 422, {"left": 4}, "abc")

    assert schemas.write_outcome(problem).isascii()
    assert schemas.read_outcome(schemas.write_outcome(problem)) == problem


@pytest.mark.parametrize("written", ["", "zz", "7b7d", "00", "5b315d"])
def test_a_cookie_that_we_did_not_write_says_nothing(written: str) -> None:
    """Cookies come from outside."""
    assert schemas.read_outcome(written) is None


def test_an_address_changes_with_its_file() -> None:
    """Browsers keep a file for a year: a release must reach them all the same."""
    marks = schemas.marks()

    assert schemas.asset("phone.css") == f"/static/phone.css?v={marks['phone.css']}"
    assert len(set(marks.values())) == len(marks)
    with pytest.raises(KeyError):
        schemas.asset("../main.py")


def test_a_style_sheet_names_icons_as_they_are() -> None:
    """It cannot ask for a file's mark, so it states it."""
    named = re.findall(r'url\("([\w./-]+)\?v=(\w+)"\)', (schemas.STATIC_FOLDER / "shell.css").read_text("utf-8"))

    assert dict(named) == {
        path: mark for path, mark in schemas.marks().items() if path.endswith(".svg") and "/" in path
    }


def test_every_icon_that_a_template_names_exists() -> None:
    """A missing one would be a coloured square."""
    written = "".join(path.read_text("utf-8") for path in CONSOLE.rglob("*.html"))
    named = set(re.findall(r'(?:\bti-|pieces\.empty\(")([\w-]+)', written))

    assert {f"vendor/icons/{name}.svg" for name in named} == {path for path in schemas.marks() if "icons/" in path}
