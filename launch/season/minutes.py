"""From two instants to credited minutes, as the season's policy has it: plain arithmetic to check a season with.

The product has its own rules in its services; a test compares both with the figures of the report.
"""

from datetime import datetime, timedelta

from launch.season.facts import Attendance, Policy, Shift

_MINUTE = timedelta(minutes=1)


def service_minutes(attendance: Attendance, shift: Shift) -> int:
    """Count the whole minutes that the person was there during the shift; 0 without a check-out."""
    if attendance.checked_out_at is None:
        return 0
    arrived: datetime = max(attendance.checked_in_at, shift.starts_at)
    left: datetime = min(attendance.checked_out_at, shift.ends_at)
    return max(0, (left - arrived) // _MINUTE)


def credited_minutes(attendance: Attendance, shift: Shift, policy: Policy) -> int:
    """Round the service minutes down to the policy's step, within its bounds. Source: DOMAIN.md section 5."""
    minutes = min(service_minutes(attendance, shift), policy.max_minutes)
    return minutes - minutes % policy.step_minutes if minutes >= policy.min_minutes else 0
