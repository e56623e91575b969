from zoneinfo import ZoneInfo

import pytest

from shared.zones import UnknownTimezone, zone


class TestZone:
    def test_a_zone_is_known_by_its_name(self) -> None:
        """Of the IANA database."""
        assert zone("Asia/Shanghai") == ZoneInfo("Asia/Shanghai")

    @pytest.mark.parametrize(
        "name", ["", ".", "Mars/Olympus", "America", "../../etc/passwd", "/etc/passwd", "a\0b", "tzdata.zi", "x" * 60]
    )
    def test_anything_else_is_refused(self, name: str) -> None:
        """A folder and a file that is no zone too: the name is a path to the library that reads it."""
        with pytest.raises(UnknownTimezone) as refused:
            zone(name)
        assert refused.value.facts == {"field": "timezone"}
