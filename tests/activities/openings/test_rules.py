"""Parts of a day, and how cities are called."""

from datetime import datetime

import pytest

from services.activities.openings.rules import Part, part_of, spellings


@pytest.mark.parametrize(
    ("hour", "part"),
    [
        (0, Part.MORNING), (11, Part.MORNING), (12, Part.AFTERNOON), (17, Part.AFTERNOON), (18, Part.EVENING),
        (23, Part.EVENING),
    ],
)  # fmt: skip
def test_a_day_has_three_parts(hour: int, part: Part) -> None:
    """Both sides of noon and of six."""
    assert part_of(datetime(2022, 6, 1, hour, 59)) is part  # noqa: DTZ001  What clocks show.


@pytest.mark.parametrize("city", ["上海", "上海市", " 上海市 "])
def test_a_city_is_the_same_with_its_suffix(city: str) -> None:
    """People write both."""
    assert spellings(city) == ("上海", "上海市")


def test_a_suffix_alone_is_a_name() -> None:
    """Nothing is left of it otherwise."""
    assert spellings("市") == ("市", "市市")
