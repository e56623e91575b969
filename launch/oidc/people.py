"""The demo people: one or more of every role, visibly synthetic, the same in one folder for good."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import UUID, uuid5

import orjson

from shared.auth.private_files import replace_private
from shared.roles import Role


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to sign in as."""

    id: UUID
    role: Role
    name_zh: str
    name_en: str
    partner_id: UUID | None = None

    def name(self, language: str) -> str:
        """Return the name in one of the two languages."""
        return self.name_en if language == "en" else self.name_zh


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody of the programme's records whom a demo person is: a registered volunteer."""

    id: UUID
    name: str | None = None  # As the record has it, if that is to be shown.


@dataclass(frozen=True, slots=True)
class Attached:
    """What demo people need of the programme's records: two volunteers, and two partners or twice the same."""

    volunteers: tuple[Known, Known]
    partners: tuple[UUID, UUID]


STEMS = "甲乙丙丁戊己庚辛壬癸子丑"
ROLES = (
    Role.VOLUNTEER,
    Role.VOLUNTEER,
    Role.PARTNER,
    Role.PARTNER,
    Role.OPERATOR,
    Role.REVIEWER,
    Role.FINANCE,
    Role.FINANCE_APPROVER,
    Role.FUNDER,
    Role.AUDITOR,
    Role.OPS,
    Role.ADMIN,
)


def person_of(programme_id: UUID, role: Role) -> UUID:
    """Name the first demo person of a role, who also plays the demo's season."""
    return uuid5(programme_id, role)


def make_people(programme_id: UUID, attached: Attached) -> list[DemoPerson]:
    """Return the demo people of a programme."""
    people = []
    for number, role in enumerate(ROLES):
        is_second = role in ROLES[:number]
        letter = chr(ord("A") + number)
        person_id = uuid5(programme_id, f"{role}-2") if is_second else person_of(programme_id, role)
        person = DemoPerson(person_id, role, f"合成{STEMS[number]}", f"Synthetic {letter}")
        if role is Role.VOLUNTEER:
            known = attached.volunteers[is_second]
            person = replace(
                person, id=known.id, name_zh=known.name or person.name_zh, name_en=known.name or person.name_en
            )
        if role is Role.PARTNER:
            person = replace(person, partner_id=attached.partners[is_second])
        people.append(person)
    return people


class People:
    """The demo people of one folder, kept in its `people.json` from when they are first asked for."""

    def __init__(self, folder: Path, programme_id: UUID, attach: Callable[[], Attached]) -> None:
        """Find them in the folder; else `attach` says whom and what they are tied to in the programme's records."""
        self._path = folder / "people.json"
        self._programme_id, self._attach = programme_id, attach
        self._lock = threading.Lock()

    @property
    def programme_id(self) -> UUID:
        """The programme that they belong to."""
        return self._programme_id

    def all(self) -> list[DemoPerson]:
        """Return everybody, in the order of the page; made at first use. Blocks: `attach` may ask the APIs."""
        with self._lock:
            if not self._path.exists():
                self._keep(make_people(self._programme_id, self._attach()))
            return [_person(row) for row in orjson.loads(self._path.read_bytes())]

    def find(self, person_id: UUID) -> DemoPerson | None:
        """Return somebody, or None who is no demo person."""
        return next((person for person in self.all() if person.id == person_id), None)

    def settle(self, attached: Attached) -> None:
        """Tie them to these records from now on, as after a season was brought in."""
        with self._lock:
            self._keep(make_people(self._programme_id, attached))

    def _keep(self, people: Iterable[DemoPerson]) -> None:
        replace_private(self._path, orjson.dumps([asdict(person) for person in people]))


def _person(row: dict[str, str | None]) -> DemoPerson:
    partner = row["partner_id"]
    return DemoPerson(
        id=UUID(row["id"]),
        role=Role(str(row["role"])),
        name_zh=str(row["name_zh"]),
        name_en=str(row["name_en"]),
        partner_id=None if partner is None else UUID(partner),
    )
