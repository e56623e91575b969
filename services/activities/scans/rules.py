"""What tells devices apart. Source: DOMAIN.md section 9: device data only as a salted hash, for signals of fraud."""

import hmac
from dataclasses import dataclass
from uuid import UUID

LEAST_DEVICE, MOST_DEVICE = 16, 128  # Characters; what is shorter, such as a model's name, is of many devices.
MARK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Marked:
    """A device has scanned for a person on a shift: in, out or both."""

    shift_id: UUID
    volunteer_id: UUID
    device_mark: bytes


def device_mark(device: str | None, *, secret: str) -> bytes | None:
    """Return what is kept of the device that scanned on the shift of this secret; of another shift's it says nothing.

    None if it is not known which device it was.
    """
    if device is None:
        return None
    return hmac.digest(secret.encode(), b"device:" + device.encode(), "sha256")[:MARK_BYTES]
