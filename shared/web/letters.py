"""Dead letters and replays as operators ask for them and see them."""

import base64
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.bus.burial import Origin, Reason
from shared.bus.dead_letters import replays
from shared.bus.dead_letters.closings import NotOneWay
from shared.bus.dead_letters.post_mortem import Cause, Story, Wanted
from shared.bus.dead_letters.replays import Outcome, Preview, Progress
from shared.web.fields import Count, Flag, Line, Parts, Shown, Text, Whole, WholeText

MOST_IDS = 1_000


class Dead(BaseModel):
    """A letter that could not be handled, without its body."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    origin: Shown
    handler: Shown | None
    event_id: UUID | None
    type: Shown | None
    partition_key: Shown | None
    cause: Shown
    reason: Shown
    exception: Shown | None
    error: WholeText
    trace_id: Shown | None
    attempts: Count
    died_at: AwareDatetime
    state: Shown
    closed_at: AwareDatetime | None
    closed_by: UUID | None
    closed_why: Shown | None


class Tried(BaseModel):
    """A replay that a letter was part of, and what became of it there; null while its turn is to come."""

    model_config = ConfigDict(from_attributes=True)

    replay_id: UUID
    requested_at: AwareDatetime
    requested_by: UUID
    why: Shown
    outcome: Outcome | None
    error: WholeText | None
    tried_at: AwareDatetime | None


class DeadLetter(Dead):
    """A letter whole; `body` is its text if that is JSON in UTF-8, else its bytes in base64."""

    headers: dict[str, Shown]
    body: WholeText
    body_encoding: Literal["json", "base64"]
    place: Shown | None
    stack: WholeText | None
    waiting_behind: Count  # Parked letters of its handler and key.
    replays: Parts[Tried]

    @classmethod
    def of(cls, story: Story) -> Self:
        """Show a letter with all that is known of it."""
        letter = story.letter
        return cls(
            **Dead.model_validate(letter).model_dump(),
            **_body(letter.body),
            headers=orjson.loads(letter.headers),
            place=story.place,
            stack=letter.stack,
            waiting_behind=story.waiting_behind,
            replays=[Tried.model_validate(each) for each in story.replays],
        )


class CauseGroup(BaseModel):
    """What many letters died of alike, and how many wait behind them; `error` and `newest_id` are the newest one's."""

    cause: Shown
    letters: Count
    waiting: Count
    first_died_at: AwareDatetime
    last_died_at: AwareDatetime
    origin: Shown
    handler: Shown | None
    type: Shown | None
    reason: Shown
    exception: Shown | None
    place: Shown | None
    error: WholeText
    newest_id: UUID

    @classmethod
    def of(cls, cause: Cause) -> Self:
        """Show one cause."""
        alike = ("origin", "handler", "type", "reason", "exception", "error")
        own = ("cause", "letters", "waiting", "first_died_at", "last_died_at", "place")
        return cls(
            **{name: getattr(cause.newest, name) for name in alike},
            **{name: getattr(cause, name) for name in own},
            newest_id=cause.newest.id,
        )


class Causes(BaseModel):
    """Causes, those that most died of first, and how many letters there are in all."""

    total: Count
    items: Parts[CauseGroup]


class Chosen(BaseModel):
    """Which dead letters are meant: these, or all of one cause."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    cause: Annotated[Line, Field(min_length=1)] | None = None

    def wanted(self) -> Wanted:
        """Say the same to a query. Raises NotOneWay."""
        self._require_one_way("ids", "cause")
        return Wanted(ids=tuple(self.ids) if self.ids else None, cause=self.cause)

    def _require_one_way(self, *ways: str) -> None:
        if len([way for way in ways if getattr(self, way)]) != 1:
            raise NotOneWay(ways=ways)


class ReplayOrder(Chosen):
    """Which dead letters to try again, and why; a preview only counts them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"all": True, "handler": "accrue_donations", "why": "synthetic reason"}]}
    )

    all: Flag = False
    handler: Line | None = None  # This and the following narrow `all`.
    type: Line | None = None
    reason: Reason | None = None
    origin: Origin | None = None
    why: Text = Field(default="", max_length=500)
    letters_per_second: Whole = Field(default=replays.LETTERS_PER_SECOND, ge=1, le=replays.MOST_PER_SECOND)
    preview: Flag = False

    def wanted(self) -> Wanted:
        """Say the same to a query. Raises NotOneWay."""
        self._require_one_way("ids", "cause", "all")
        if not self.all:
            if self.handler or self.type or self.reason or self.origin:
                raise NotOneWay(ways=("all",))
            return super().wanted()
        return Wanted(handler=self.handler, type=self.type, reason=self.reason, origin=self.origin)


class Discard(Chosen):
    """Which dead letters to give up, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cause": "0123456789abcdef", "why": "synthetic reason"}]}
    )

    why: Text = Field(max_length=500)


class Discarded(BaseModel):
    """How many letters were given up, and how many that had waited behind them were handled at once."""

    model_config = ConfigDict(from_attributes=True)

    letters: Count
    released: Count


class Replay(BaseModel):
    """A replay and how far it has come; `left` are the letters whose turn is to come."""

    id: UUID
    requested_at: AwareDatetime
    requested_by: UUID
    why: Shown
    selection: Shown
    letters_per_second: Count
    total: Count
    replayed: Count
    failed: Count
    skipped: Count
    left: Count
    finished_at: AwareDatetime | None

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """Show a replay."""
        counted = ("replayed", "failed", "skipped", "left")
        ordered = (name for name in cls.model_fields if name not in counted)
        return cls(
            **{name: getattr(progress.replay, name) for name in ordered},
            **{name: getattr(progress, name) for name in counted},
        )


class Ordered(BaseModel):
    """How many letters a replay is about; an order has the replay, a preview what they died of."""

    total: Count
    causes: Parts[CauseGroup] | None = None
    replay: Replay | None = None

    @classmethod
    def previewed(cls, preview: Preview) -> Self:
        """Show what an order would be about."""
        return cls(total=preview.total, causes=[CauseGroup.of(cause) for cause in preview.causes])

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """Show an order."""
        return cls(total=progress.replay.total, replay=Replay.of(progress))


def _body(body: bytes) -> dict[str, Any]:
    try:
        orjson.loads(body)
        return {"body": body.decode(), "body_encoding": "json"}
    except ValueError:
        return {"body": base64.b64encode(body).decode(), "body_encoding": "base64"}
