"""What a fact about an attendance changes: target minus posted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum, auto
from uuid import UUID

from services.ledger.policies.rules import NOTHING, Price, Terms, choose, price
from shared.errors import Conflict, Invalid, Title


class MoreMatchableThanRecorded(Invalid):
    """A fact says that more minutes may become money than were served."""

    code = "more_matchable_than_recorded"
    title = Title(zh="可配捐时长不能大于服务时长", en="More minutes are matchable than were served")


class OtherProgramme(Conflict):
    """A later version of an attendance names another programme; money never moves between programmes."""

    code = "other_programme"
    title = Title(zh="同一服务记录不能改属其他项目", en="An attendance cannot move to another programme")


class VersionRetold(Conflict):
    """The same version of an attendance was told twice with different content; the first stands."""

    code = "version_retold"
    title = Title(zh="同一版本的服务记录内容不一致", en="The same version was told with other content")


class State(StrEnum):
    """What the fact behind a donation said."""

    SETTLED = "settled"
    REVISED = "revised"
    VOIDED = "voided"


class Span(Enum):
    """What a sum of donations is taken over: all that there ever was, whole months, or anything else."""

    EVER = auto()
    MONTHS = auto()
    DAYS = auto()


_PERIOD = frozenset({"service_from", "service_until"})  # The latter is excluded.


@dataclass(frozen=True, slots=True)
class Service:
    """One version of one person's service on one shift, as activities told it. Minutes of a voided one are 0."""

    attendance_id: UUID
    version: int
    state: State
    programme_id: UUID
    partner_id: UUID
    listing_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    started_at: datetime
    service_on: date
    evidence: str
    recorded_minutes: int
    matchable_minutes: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The donation that stands for an attendance: its latest version, its amount, the entry that posted it if any."""

    donation_id: UUID
    service: Service
    fen: int
    entry_id: UUID | None


@dataclass(frozen=True, slots=True)
class Correction:
    """What has to be written so that the books agree with the latest version of an attendance."""

    service: Service
    priced: Price
    policy_version_id: UUID | None
    replaces: Standing | None
    reverses: bool  # The standing entry is undone in full,
    accrues: (
        bool  # and the whole new amount is posted. Neither: the standing entry, if any, goes on to carry the amount.
    )


def newest(told: Iterable[Service]) -> list[Service]:
    """Keep the highest version of each attendance, in the order of their ids; older ones have no effect any more.

    Raises VersionRetold when the highest version was told in two ways.
    """
    latest: dict[UUID, Service] = {}
    for service in told:
        known = latest.setdefault(service.attendance_id, service)
        if service.version > known.version:
            latest[service.attendance_id] = service
        elif service.version == known.version and service != known:
            raise VersionRetold(attendance_id=service.attendance_id, version=service.version)
    return sorted(latest.values(), key=lambda service: service.attendance_id.int)


def decide(standing: Standing | None, told: Service, versions: Sequence[Terms]) -> Correction | None:
    """Say what a fact changes; None for one that is repeated or stale.

    The whole amount is priced anew under the policy in force when service started; if it, its partner or its date
    differ from what is posted, that is reversed and the whole is posted.
    Raises NoPolicy, MoreMatchableThanRecorded, OtherProgramme, VersionRetold. Source: DOMAIN.md section 5, "Pricing".
    """
    if standing is not None:
        _require_same_thing(standing.service, told)
        if told.version <= standing.service.version:
            return None
    if told.matchable_minutes > told.recorded_minutes:
        raise MoreMatchableThanRecorded(attendance_id=told.attendance_id, version=told.version)
    priced, policy_version_id = _value(told, versions)
    posted = None if standing is None else _posting(standing.service, standing.fen)
    differs = posted != _posting(told, priced.fen)
    return Correction(
        service=told,
        priced=priced,
        policy_version_id=policy_version_id,
        replaces=standing,
        reverses=differs and posted is not None,
        accrues=differs and priced.fen > 0,
    )


def span_of(wanted: Mapping[str, object]) -> Span:
    """Say of what time filters of donations leave all that a partner has, or all partners; None limits nothing."""
    asked = {name: value for name, value in wanted.items() if value is not None and name != "partner_id"}
    if not asked:
        return Span.EVER
    in_months = all(name in _PERIOD and isinstance(value, date) and value.day == 1 for name, value in asked.items())
    return Span.MONTHS if in_months else Span.DAYS


def _require_same_thing(known: Service, told: Service) -> None:
    if known.programme_id != told.programme_id:
        raise OtherProgramme(attendance_id=told.attendance_id, version=told.version)
    if known.version == told.version and known != told:
        raise VersionRetold(attendance_id=told.attendance_id, version=told.version)


def _value(told: Service, versions: Sequence[Terms]) -> tuple[Price, UUID | None]:
    if told.state is State.VOIDED:
        return NOTHING, None
    terms = choose(versions, programme_id=told.programme_id, at=told.started_at)
    return price(minutes=told.matchable_minutes, terms=terms), terms.policy_version_id


def _posting(service: Service, fen: int) -> tuple[UUID, date, int] | None:
    """Return all that an entry says of its source; None where there is nothing to post."""
    return (service.partner_id, service.service_on, fen) if fen else None
