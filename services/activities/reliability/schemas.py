"""What HTTP callers send and see of reliability."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.reliability import queries, rules
from services.activities.reliability.queries import Place
from services.activities.reliability.rules import Fact
from shared.errors import Title
from shared.web.fields import Count, Flag, Parts, Reason, Shown
from shared.web.lists import Listed


class Line(BaseModel):
    """What one fact counts: `kept` of `of`, in thousandths of a place."""

    sign_up_id: UUID
    shift_id: UUID
    title: Shown
    ended_at: AwareDatetime
    fact: Fact
    meaning_zh: Shown
    meaning_en: Shown
    age_days: Count
    kept: Count
    of: Count
    appealed_at: AwareDatetime | None
    is_excused: bool


class Reliability(BaseModel):
    """How far somebody's word about a place can be relied on, with every fact that it comes of, newest first.

    `percent` is (`start` + all that was kept) of (`start` + all that counts), rounded down. A fact loses half its
    weight in `half_life_days`. Nobody is shown or refused anything for it.
    """

    volunteer_id: UUID
    percent: Count
    half_life_days: Count
    start: Count
    lines: Parts[Line]


class NewAppeal(BaseModel):
    """Against what somebody appeals, and why it should not count."""

    model_config = ConfigDict(extra="forbid")

    sign_up_id: UUID
    note: Reason


class AppealDecision(BaseModel):
    """Whether a fact is excused, and why."""

    model_config = ConfigDict(extra="forbid")

    is_excused: Flag
    reason: Reason


class Appeal(BaseModel):
    """An appeal against a fact, and what came of it; texts are gone once the person is erased."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="申诉编号 / The appeal's id")
    sign_up_id: UUID = Field(description="报名编号 / The place that it is about")
    note: Shown | None = Field(description="申诉理由 / What the person wrote")
    appealed_at: AwareDatetime = Field(description="申诉时间 / When")
    is_excused: bool | None = Field(description="是否谅解，未决为空 / Whether it was excused; null while open")
    because: Shown | None = Field(description="决定理由 / Why it was decided so")
    decided_by: UUID | None = Field(description="决定人编号 / Who decided")
    decided_at: AwareDatetime | None = Field(description="决定时间 / When it was decided")


APPEALS = Listed(
    queries.APPEALS,
    Appeal,
    file="reliability-appeals",
    title=Title(zh="可靠度申诉", en="Appeals"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "sign_up_id": Title(zh="报名编号", en="Sign-up id"),
        "note": Title(zh="申诉理由", en="Note"),
        "appealed_at": Title(zh="申诉时间", en="Appealed at"),
        "is_excused": Title(zh="是否谅解", en="Excused"),
        "because": Title(zh="决定理由", en="Because"),
        "decided_by": Title(zh="决定人编号", en="Decided by"),
        "decided_at": Title(zh="决定时间", en="Decided at"),
    },
)


def shown(volunteer_id: UUID, places: Sequence[Place], *, now: datetime) -> Reliability:
    """Show a person's reliability, explained line by line."""
    by_id = {place.sign_up_id: place for place in places}
    lines = rules.explain((place.happened for place in places), now=now)
    return Reliability(
        volunteer_id=volunteer_id,
        percent=rules.score(lines),
        half_life_days=rules.HALF_LIFE_DAYS,
        start=rules.START,
        lines=[_line(line, by_id[line.happened.sign_up_id]) for line in lines],
    )


def _line(line: rules.Line, place: Place) -> Line:
    meaning = rules.TITLES[line.happened.fact]
    return Line(
        sign_up_id=place.sign_up_id,
        shift_id=place.shift_id,
        title=place.title,
        ended_at=place.ends_at,
        fact=line.happened.fact,
        meaning_zh=meaning.zh,
        meaning_en=meaning.en,
        age_days=max(line.age_days, 0),
        kept=line.kept,
        of=line.of,
        appealed_at=place.appealed_at,
        is_excused=line.happened.is_excused,
    )
