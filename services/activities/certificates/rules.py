"""What can be certified, and how long a certificate holds. Source: DOMAIN.md sections 4, "Record", and 9.

A certificate says what the settled attendances of a period come to when it is issued. When they come to something else
later it is superseded: not wrong when it was issued, and no longer true.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from shared.errors import Conflict, Invalid, Title

LONGEST_PERIOD = timedelta(days=10 * 366)
MOST_SERVICES = 1_000  # Of one certificate; what a PDF holds.
DIGITS = 6


class State(StrEnum):
    """How a certificate stands."""

    VALID = "valid"
    SUPERSEDED = "superseded"  # The minutes of its period are others by now.
    REVOKED = "revoked"


class Command(StrEnum):
    """What can be done with a certificate."""

    SUPERSEDE = "supersede"
    REVOKE = "revoke"


class BadPeriod(Invalid):
    """A certificate is for one day to ten years, and for no day that is not over; `field` says which end is wrong."""

    code = "bad_certificate_period"
    title = Title(zh="证明期间有误", en="The certificate's period is wrong")


class NothingToCertify(Conflict):
    """Nothing is settled of this person's service in this period."""

    code = "nothing_to_certify"
    title = Title(zh="该期间没有已确认的服务时长", en="No settled service in this period")


class TooManyServices(Invalid):
    """The period holds more services than one certificate; ask for a shorter one."""

    code = "too_many_services"
    title = Title(zh="该期间服务次数过多，请缩短期间", en="Too many services for one certificate: ask for less")


class NoIssuer(Conflict):
    """Nobody has said yet who issues the programme's certificates."""

    code = "no_certificate_issuer"
    title = Title(zh="尚未登记证明出具单位", en="Who issues certificates is not recorded yet")


class NotSetUp(Conflict):
    """There is no key to sign with, or the one that signed is gone; operators set POPCANDY_CERTIFICATE_KEYS."""

    code = "certificates_not_set_up"
    title = Title(zh="证明签名密钥尚未配置", en="Certificates cannot be signed here")


class PrefixTaken(Conflict):
    """Another programme's certificates begin with these letters."""

    code = "certificate_prefix_taken"
    title = Title(zh="该证明编号前缀已被使用", en="This prefix is another programme's")


class CertificateRevoked(Conflict):
    """The certificate was revoked; it stays so."""

    code = "certificate_revoked"
    title = Title(zh="该证明已撤销", en="This certificate is revoked")


class CertificateNotValid(Conflict):
    """A certificate that does not hold, or whose person was erased, is not handed out again; `state` says which."""

    code = "certificate_not_valid"
    title = Title(zh="该证明已失效，不能再下载", en="This certificate holds no longer and is not handed out")


AFTER: Mapping[tuple[State, Command], State] = {
    (State.VALID, Command.SUPERSEDE): State.SUPERSEDED,
    (State.VALID, Command.REVOKE): State.REVOKED,
    (State.SUPERSEDED, Command.SUPERSEDE): State.SUPERSEDED,
    (State.SUPERSEDED, Command.REVOKE): State.REVOKED,
}


def state_after(state: State, command: Command) -> State:
    """Return the state after a command. Raises CertificateRevoked."""
    if (state, command) not in AFTER:
        raise CertificateRevoked
    return AFTER[state, command]


def state_now(state: State, *, certified: int, minutes: int) -> State:
    """Return how a certificate of so many `certified` minutes stands, now that its period has `minutes`."""
    return State.SUPERSEDED if state is State.VALID and certified != minutes else state


def require_period(since: date, until: date, *, today: date) -> None:
    """Refuse a period that is empty, too long, or not over; today may be its last day. Raises BadPeriod."""
    if not timedelta(0) < until - since <= LONGEST_PERIOD:
        raise BadPeriod(field="service_until", expected="after service_from, at most ten years later")
    if until > today + timedelta(days=1):
        raise BadPeriod(field="service_until", expected="at most tomorrow, which is excluded")


def require_services(services: int, *, minutes: int) -> None:
    """Refuse to certify nothing, or more than a certificate holds. Raises NothingToCertify, TooManyServices."""
    if minutes == 0:
        raise NothingToCertify
    if services > MOST_SERVICES:
        raise TooManyServices(field="service_from", most=MOST_SERVICES)


def number_of(prefix: str, year: int, count: int) -> str:
    """Return the number of the so many-th certificate of a programme and year: `PC-2026-000001`."""
    return f"{prefix}-{year}-{count:0{DIGITS}}"
