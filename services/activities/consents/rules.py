"""What people are asked before their details go to somebody else. Source: DOMAIN.md section 9; PIPL articles 14-16, 23.

A text that was shown is never edited: a change is a new version with a digest of its own, and the digest of what a
person read stands beside their decision. Refusing has no effect but that which the text says.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Conflict, Invalid, Title


class Purpose(StrEnum):
    """What details are to be used for; each is asked about by itself."""

    PARTNER_ROSTER = "partner_roster"  # A partner sees the display name of who has a place on its shift.
    HOST_FEEDBACK = "host_feedback"  # A partner sees the display name of who answered about its activity.
    KIT_ADDRESS = "kit_address"  # A partner sees where to send a kit, until it has arrived.


class Decision(StrEnum):
    """What a person decided."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class UnknownText(Invalid):
    """There is no such version of the text of this purpose."""

    code = "unknown_consent_text"
    title = Title(zh="没有这个版本的同意书", en="There is no such version of the consent text")


class TextOutdated(Conflict):
    """The person read a text that is not the current one; show them that, and ask again."""

    code = "consent_text_outdated"
    title = Title(zh="同意书已更新，请阅读新版本", en="The consent text has changed; read the new one")


class NothingGiven(Conflict):
    """There is no consent to withdraw."""

    code = "no_consent_given"
    title = Title(zh="没有可撤回的同意", en="There is no consent to withdraw")


@dataclass(frozen=True, slots=True)
class Text:
    """One version of what people read before they decide; `digest` is of both languages (`digest_of`)."""

    version: int
    zh: str
    en: str
    digest: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The texts of one purpose, oldest first. Consent given on a text before `holds_since` holds no longer."""

    texts: tuple[Text, ...]
    holds_since: int

    @property
    def current(self) -> Text:
        """The text that people are shown now."""
        return self.texts[-1]


TERMS: Mapping[Purpose, Terms] = {
    Purpose.PARTNER_ROSTER: Terms(
        texts=(
            Text(
                version=1,
                zh=(
                    "您报名某一场次后，如您同意，我们会把您的显示名提供给该场次的举办方（伙伴机构，名称见活动页面），"
                    "仅用于该场次的现场接待和签到核对；不提供员工编号、电话或其他信息。您可以不同意：您仍可报名、签到、"
                    "记录时长和配捐，举办方只会看到“志愿者 07”这样的编号。您可以随时撤回，"
                    "撤回后举办方立即不再看到您的显示名；撤回前已依据同意进行的处理不受影响。"
                ),
                en=(
                    "If you consent, the host of a shift on which you have a place (a partner, named on the "
                    "activity's page) is shown your display name, to receive you and to compare the check-ins "
                    "of that shift; never your employee number, telephone or anything else. You may refuse: "
                    "you sign up, check in, and your hours and donations count all the same, and the host "
                    "sees a number such as “Volunteer 07”. You may withdraw at any time; the host then no "
                    "longer sees your name, at once. What was done before, on the strength of your consent, "
                    "remains lawful."
                ),
                digest="dd1d4e33b6e6c60d35fd57566a394a2c3699a7d6e30c6ac663c8400b1ca8c32d",
            ),
        ),
        holds_since=1,
    ),
    Purpose.HOST_FEEDBACK: Terms(
        texts=(
            Text(
                version=1,
                zh=(
                    "您参加服务后填写的活动反馈，举办方（伙伴机构）可以看到内容，但看不到是谁填写的。如您同意，"
                    "举办方还能看到您的显示名和填写时间，以便与您沟通改进；不提供员工编号、电话或其他信息。"
                    "您可以不同意，反馈同样有效，您的报名、时长和配捐不受任何影响。您可以随时撤回，撤回后举办方立即"
                    "不再看到您的显示名；撤回前已依据同意进行的处理不受影响。"
                ),
                en=(
                    "The host of an activity (a partner) sees what you answer about it, and not who answered. If "
                    "you consent, it also sees your display name and when you answered, so that it can talk to you "
                    "about what to do better; never your employee number, telephone or anything else. You may "
                    "refuse: your answer counts all the same, and so do your places, hours and donations. You may "
                    "withdraw at any time; the host then no longer sees your name, at once. What was done before, "
                    "on the strength of your consent, remains lawful."
                ),
                digest="9f9a2b1784bf7ea2291e430545f8f9cff4454b23649b832268378943b1c763c0",
            ),
        ),
        holds_since=1,
    ),
    Purpose.KIT_ADDRESS: Terms(
        texts=(
            Text(
                version=1,
                zh=(
                    "您参加需要物料包的居家手工活动时，如您同意，您填写的收件人、电话和地址会提供给该活动的举办方（伙"
                    "伴机构，名称见活动页面）及其选用的快递公司，仅用于寄送这一个物料包，项目运营人员也可查看。物料包"
                    "签收、归还、登记遗失或取消后，地址即删除。您可以不同意：您的报名、时长和配捐不受影响，但我们无法"
                    "向您寄送物料包。您可以随时撤回，撤回后举办方立即不再看到地址，系统随后删除；撤回前已寄出的物料包"
                    "不受影响。"
                ),
                en=(
                    "When you take part in work at home for which a kit is sent, and you consent, the recipient, "
                    "telephone and address that you give are shown to the host of the activity (a partner, named on "
                    "the activity's page) and to the carrier that it chooses, to send this one kit and for nothing "
                    "else; the programme's operators may see them too. They are deleted when the kit has arrived or "
                    "come back, is recorded as lost, or is cancelled. You may refuse: your places, hours and "
                    "donations are not affected, but no kit can be sent to you. You may withdraw at any time; the "
                    "host then no longer sees the address, at once, and it is deleted soon after. A kit that was "
                    "sent before is not affected."
                ),
                digest="3ae00d5958698eea9fb2bdf8cbec3ee2fe8a6221effe189d30f15b9cc66ccca7",
            ),
        ),
        holds_since=1,
    ),
}


def digest_of(text: Text) -> str:
    """Return the SHA-256 of a text in both languages, in hexadecimal digits."""
    return hashlib.sha256(f"{text.zh}\n{text.en}".encode()).hexdigest()


def require_current(purpose: Purpose, version: int) -> Text:
    """Return the text that was read, which has to be the current one. Raises UnknownText, TextOutdated."""
    terms = TERMS[purpose]
    if version not in {text.version for text in terms.texts}:
        raise UnknownText(field="version", current=terms.current.version)
    if version != terms.current.version:
        raise TextOutdated(current=terms.current.version)
    return terms.current


def holds(decision: str, *, text_version: int, terms: Terms) -> bool:
    """Say whether a person's last decision on a purpose allows it now."""
    return decision == Decision.GIVEN and text_version >= terms.holds_since
