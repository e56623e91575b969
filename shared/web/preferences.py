"""How much a caller wants one language or media type before another: the `q` of RFC 9110 section 12.4.2."""

import re
from typing import Final

_WEIGHT: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def weight(parameters: str) -> float:
    """Read `q` of what follows the first `;`; without it a wish weighs 1, with a broken one nothing."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return float(value) if _WEIGHT.fullmatch(value.strip()) else 0.0
    return 1.0
