import json
from collections.abc import Callable
from uuid import UUID

import orjson
import pytest

from shared.privacy.naming import holds_any, names_any

NUMBER, NAME = "E100", "小跳"


@pytest.mark.parametrize("value", [NUMBER, f"{NUMBER}, E7", f"({NUMBER})", f"E7/{NUMBER}", f"_{NUMBER}_", f"a {NAME}."])
def test_a_word_names(value: str) -> None:
    """Wherever it stands; marks and spaces bound it."""
    assert names_any(value, [NUMBER, NAME])


@pytest.mark.parametrize("value", ["E1000", "1E100", "E100a", "E100号", "小跳跳", "大小跳", "éE100", "E100٣", ""])
def test_part_of_a_word_is_somebody_else(value: str) -> None:
    """Of any alphabet."""
    assert not names_any(value, [NUMBER, NAME, ""])


@pytest.mark.parametrize(
    "value", ["2022-06-22 09:22", "2022-06-22T01:22:22Z", "1,22.22", "00000022-0022-4000-8000-000000000022"]
)
def test_figures_name_only_as_a_whole(value: str) -> None:
    """Else a short number would be found in every date."""
    assert not names_any(value, ["22", "0022"])
    assert names_any(value, ["22", value])


@pytest.mark.parametrize("write", [orjson.dumps, lambda read: json.dumps(read).encode()])
def test_json_is_read_before_it_is_searched(write: Callable[[object], bytes]) -> None:
    """However it spells what is no ASCII; numbers and its own words name nobody."""
    held = write({"E7": [{"note": f"x\n{NAME}\ty", "n": 22}], "of": str(UUID(int=22))})
    assert holds_any(held, [NAME])
    assert not any(holds_any(held, [text]) for text in ("E7", "22", "n", "跳", "小", "E8"))


def test_what_is_no_json_is_searched_as_text() -> None:
    """For instance a file."""
    assert holds_any(b"a,E100\n", [NUMBER])
    assert not holds_any(b"a,E1000\n", [NUMBER])
