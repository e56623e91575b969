"""What HTTP callers send and see of certificates, and how one is written as a paper."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.activities.certificates import queries, tables
from services.activities.certificates.rules import State
from shared.documents.certificates import Signed
from shared.documents.codes import qr_svg
from shared.documents.papers import Column, Count, Facts, Language, Minutes, Paper, Picture, Reference, Space, Table
from shared.errors import Title
from shared.web import fields
from shared.web.fields import Day, Items, Parts, Reason, Shown, Text
from shared.web.lists import Listed

Say = Callable[[str, str], str]

EVIDENCE: Mapping[str, Title] = {
    "scanned": Title(zh="扫码", en="Scanned"),
    "attested": Title(zh="机构确认", en="Attested"),
    "claimed": Title(zh="补签确认", en="Claimed"),
    "manual": Title(zh="人工审核", en="Reviewed"),
}
Prefix = Annotated[str, StringConstraints(max_length=8, pattern="^[A-Z][A-Z0-9]+$"), Field(examples=["PC"])]
SEAL_MILLIMETRES = 28
QR_PERCENT = 28  # Of 97 modules each is then half a millimetre wide.


class IssuerFacts(BaseModel):
    """Who issues the programme's certificates; `prefix` begins their numbers."""

    model_config = ConfigDict(extra="forbid")

    prefix: Prefix
    zh: Text = Field(min_length=1, max_length=120, description="名称 / The name in Chinese")
    en: Text = Field(min_length=1, max_length=120, description="英文名称 / The name in English")
    contact: Text = Field(
        min_length=1, max_length=200, description="How the issuer is reached, as certificates say it."
    )
    timezone: Text = Field(default="Asia/Shanghai", max_length=60, description="In which a certificate has its date.")


class Issuer(IssuerFacts):
    """Who issues the programme's certificates."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class Wish(BaseModel):
    """The period to be certified; `service_until` is excluded, and tomorrow at most."""

    model_config = ConfigDict(extra="forbid")

    service_from: Day
    service_until: Day


class WishOnBehalf(Wish):
    """A period that is to be certified for somebody who asked otherwise than by signing in."""

    reason: Reason = Field(description="How the person asked, and where that is kept; without their name.")


class Revocation(BaseModel):
    """Why a certificate is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Certificate(BaseModel):
    """What was certified, and how it stands; the PDF shows the rest."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: Shown
    volunteer_id: UUID
    service_from: date
    service_until: date
    services: fields.Count
    total_minutes: fields.Count
    state: State
    key_id: Shown
    issued_on: date
    issued_by: UUID
    issued_at: AwareDatetime
    ended_at: AwareDatetime | None
    revoked_because: Shown | None


CERTIFICATES = Listed(
    queries.CERTIFICATES,
    Certificate,
    file="certificates",
    title=Title(zh="志愿服务记录证明", en="Certificates"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "number": Title(zh="证明编号", en="Number"),
        "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
        "service_from": Title(zh="期间开始", en="From"),
        "service_until": Title(zh="期间结束（不含）", en="Until (excluded)"),
        "services": Title(zh="服务次数", en="Services"),
        "total_minutes": Title(zh="服务分钟", en="Service minutes"),
        "state": Title(zh="状态", en="State"),
        "key_id": Title(zh="密钥编号", en="Key id"),
        "issued_on": Title(zh="出具日期", en="Issued on"),
        "issued_by": Title(zh="出具人编号", en="Issued by"),
        "issued_at": Title(zh="出具时间", en="Issued at"),
        "ended_at": Title(zh="失效时间", en="Ended at"),
        "revoked_because": Title(zh="撤销原因", en="Revoked because"),
    },
)


class Check(BaseModel):
    """What anybody who has a certificate may know of it, and nothing else."""

    number: Shown
    service_from: date
    service_until: date = Field(description="Excluded.")
    total_minutes: fields.Count
    state: State


class Key(BaseModel):
    """A public key that certificates are verified with (RFC 8037)."""

    kty: Shown
    crv: Shown
    use: Shown
    alg: Shown
    kid: Shown
    x: Shown


class Keys(BaseModel):
    """A JWK Set, the newest key first."""

    keys: Items[Key]


class Ended(BaseModel):
    """A certificate that holds no longer."""

    number: Shown
    state: State


class Endings(BaseModel):
    """Certificates of one prefix and year that hold no longer, as of last night; revoked ones at once."""

    prefix: Shown
    year: fields.Count
    items: Parts[Ended]


def certificate(row: tables.Certificate, state: State) -> Certificate:
    """Show a certificate as it stands."""
    return Certificate.model_validate(row).model_copy(update={"state": state})


def paper_of(
    row: tables.Certificate, content: Mapping[str, Any], signed: Signed, *, language: Language, check: str
) -> Paper:  # fmt: skip
    """Write a certificate as a paper; `check` is the address at which anybody may look."""

    def say(zh: str, en: str) -> str:
        return en if language == "en" else zh

    return Paper(
        title=say("志愿服务记录证明", "Record of volunteer service"),
        language=language,
        programme="",  # The issuer stands for it.
        reference=row.number,
        issued_at=row.issued_at,
        timezone=content["issuer"]["timezone"],
        keywords=[signed.place],
        sections=[
            _who(row, content, say),
            _services(content, say),
            Facts(say("出具单位", "Issuer"), [
                (say("名称", "Name"), content["issuer"][language]),
                (say("联系方式", "Contact"), content["issuer"]["contact"]),
                (say("出具日期", "Date"), row.issued_on),
            ]),
            Space(say("盖章处", "Seal"), millimetres=SEAL_MILLIMETRES),
            Facts(say("验真", "How to verify"), [
                (say("在线查验", "Online"), Reference(check)),
                (say("验真码", "Code"), Reference(signed.code)),
                (say("离线查验", "Offline"), say(_OFFLINE.zh, _OFFLINE.en)),
            ]),
            Picture(
                say("查验二维码", "QR code"), qr_svg(f"{check}#{signed.compact}"),
                say("扫码可在线查验本证明", "Scan to look this certificate up"), percent=QR_PERCENT,
            ),
        ],
    )  # fmt: skip


_OFFLINE = Title(
    zh="本文件带有数字签名，改动任何内容即失效：popcandy certificate verify 文件",
    en="This file is signed, and any change breaks it: popcandy certificate verify FILE",
)
_ALIGNED = Title(
    zh="本证明的栏目参照《志愿服务记录与证明出具办法（试行）》（民政部令第67号）设置，由出具单位免费出具。",
    en="The fields are aligned to Order No. 67 of the Ministry of Civil Affairs; issued free of charge by the issuer.",
)


def _who(row: tables.Certificate, content: Mapping[str, Any], say: Say) -> Facts:
    """Name the person by name and volunteer number; no other number of theirs is known here."""
    last = date.fromordinal(row.service_until.toordinal() - 1)
    return Facts(
        say("志愿者与服务", "Volunteer and service"),
        [
            (say("姓名（显示名）", "Name (as shown)"), content["display_name"]),
            (say("志愿者编号", "Volunteer number"), Reference(content["volunteer_number"])),
            (say("期间第一天", "First day"), row.service_from),
            (say("期间最后一天", "Last day"), last),
            (say("服务次数", "Services"), Count(row.services)),
            (say("服务时长合计", "Total time of service"), Minutes(row.total_minutes)),
        ],
    )


def _services(content: Mapping[str, Any], say: Say) -> Table:
    columns = [
        Column(say("服务日期", "Date"), 3),
        Column(say("服务内容", "Activity"), 6),
        Column(say("服务机构", "Partner"), 5),
        Column(say("时长", "Time"), 3, is_figure=True),
        Column(say("证明方式", "Evidence"), 2),
    ]
    rows = [
        (date.fromisoformat(on), title, partner, Minutes(minutes), say(*EVIDENCE[evidence]))
        for on, title, partner, minutes, evidence in content["services"]
    ]
    total = (say("合计", "Total"), None, None, Minutes(content["total_minutes"]), None)
    note = say(_ALIGNED.zh, _ALIGNED.en)
    return Table(say("服务明细", "Services"), columns, rows, total, note)


class OwnCertificate(BaseModel):
    """What was certified of the person's service."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="编号 / The certificate's id")
    number: Shown = Field(description="证明编号 / Number")
    service_from: date = Field(description="期间开始 / First day")
    service_until: date = Field(description="期间结束（不含） / Day after the last")
    total_minutes: fields.Count = Field(description="服务时长（分钟） / Service, in minutes")
    state: Shown = Field(description="状态 / State")
    content: dict[str, Any] | None = Field(description="证明内容 / All that it shows")
    issued_by: UUID = Field(description="出具人编号 / Who had it issued")
    issued_at: AwareDatetime = Field(description="出具时间 / When")
    revoked_because: Shown | None = Field(description="撤销原因 / Why it was revoked")
