"""What HTTP callers send and see of incidents."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.incidents import queries
from services.activities.incidents.rules import Side, State
from shared.errors import Title
from shared.events.activities_incidents import IncidentKind, IncidentSubject
from shared.web.fields import Count, Instant, Parts, Reason, Shown, Text
from shared.web.lists import Listed

MOST_WORDS = 2_000


class NewIncident(BaseModel):
    """What has to be looked into, as staff puts it in."""

    model_config = ConfigDict(extra="forbid")

    kind: IncidentKind
    subject_type: IncidentSubject
    subject_id: UUID
    shift_id: UUID | None = None
    listing_id: UUID | None = None
    partner_id: UUID | None = None
    volunteer_id: UUID | None = None
    details: Text = Field(min_length=1, max_length=MOST_WORDS, description="What happened; without anybody's name.")


class Incident(BaseModel):
    """Something that a person has to look into."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: IncidentKind
    subject_type: IncidentSubject
    subject_id: UUID
    shift_id: UUID | None
    listing_id: UUID | None
    partner_id: UUID | None
    volunteer_id: UUID | None
    details: Shown
    state: State
    opened_side: Side
    opened_at: AwareDatetime
    deadline_at: AwareDatetime
    owner_id: UUID | None
    shared_at: AwareDatetime | None = Field(description="Since when the partner that it is about sees it.")
    closed_at: AwareDatetime | None
    resolution: Shown | None


INCIDENTS = Listed(
    queries.INCIDENTS,
    Incident,
    file="incidents",
    title=Title(zh="待处理事件", en="Incidents"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "kind": Title(zh="类型", en="Kind"),
        "subject_type": Title(zh="对象类型", en="About"),
        "subject_id": Title(zh="对象编号", en="Id of what it is about"),
        "shift_id": Title(zh="场次编号", en="Shift id"),
        "listing_id": Title(zh="活动编号", en="Listing id"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "details": Title(zh="说明", en="Details"),
        "state": Title(zh="状态", en="State"),
        "opened_side": Title(zh="提出方", en="Opened by"),
        "opened_at": Title(zh="提出时间", en="Opened at"),
        "deadline_at": Title(zh="处理期限", en="Deadline"),
        "owner_id": Title(zh="负责人编号", en="Owner id"),
        "shared_at": Title(zh="告知机构时间", en="Shared at"),
        "closed_at": Title(zh="关闭时间", en="Closed at"),
        "resolution": Title(zh="处理结果", en="Resolution"),
    },
)


class Note(BaseModel):
    """What was found out or done."""

    model_config = ConfigDict(from_attributes=True)

    number: Count
    text: Shown
    written_by: UUID
    written_at: AwareDatetime


class IncidentWithNotes(Incident):
    """An incident with what was noted of it, oldest first; to others than staff without."""

    notes: Parts[Note]


class NewNote(BaseModel):
    """What is noted of an incident."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(min_length=1, max_length=MOST_WORDS, description="Without anybody's name.")


class Assignment(BaseModel):
    """Who looks into an incident, and until when; without a deadline the one that it has stays."""

    model_config = ConfigDict(extra="forbid")

    owner_id: UUID
    deadline_at: Instant | None = None


class Closing(BaseModel):
    """What came of an incident."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="What came of it; without anybody's name.")


class OwnIncident(BaseModel):
    """An incident that the person opened, or that is about them."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="事件编号 / The incident's id")
    kind: Shown = Field(description="类型 / Kind")
    shift_id: UUID | None = Field(description="场次编号 / The shift's id")
    details: Shown = Field(description="说明 / What was said of it")
    state: Shown = Field(description="状态 / State")
    opened_side: Shown = Field(description="提出方 / Which side opened it")
    opened_at: AwareDatetime = Field(description="提出时间 / When it was opened")
    closed_at: AwareDatetime | None = Field(description="关闭时间 / When it was closed")
