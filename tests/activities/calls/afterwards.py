"""Calls about feedback and certificates."""

from uuid import uuid4

from shared.roles import Role
from tests.activities.calls.call import REASON, Call, Make
from tests.activities.door import Door
from tests.factories.activities import (
    NOON,
    make_settled,
    make_shift,
)
from tests.factories.certificates import make_issuer

JUNE = {"service_from": "2022-06-01", "service_until": "2022-06-02"}
ISSUED = {"certificate": {"added": 1}}
ACTIVITY = {
    "form_version": 0,
    "answers": {"overall": 5, "organisation": 4, "meaning": 5, "would_return": True, "liked": "小跳"},
}
GROUP = {"form_version": 0, "answers": {"overall": 5, "punctuality": 4, "cooperation": 5, "as_expected": True}}
PERSON = {"form_version": 0, "answers": {"attitude": 5, "contribution": 5, "comment": "小跳"}}
ANSWERED = {"feedback": {"added": 1}, "feedback_version": {"added": 1}}


def publish_form(door: Door) -> Call:
    title = {"zh": "喜欢什么", "en": "What you liked"}
    question = {"key": "liked", "kind": "text", "title": title, "is_required": False, "choices": []}
    form = {"title": {"zh": "反馈", "en": "Feedback"}, "questions": [question]}
    path, counts = "/feedback-forms/volunteer/versions", {"feedback_form": {"added": 1}}
    return Call(door, "POST", path, {"json": form}, counts, '"0"')


def give_feedback(door: Door) -> Call:
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    own = door.by(Role.VOLUNTEER, person_id=record.volunteer_id)
    return Call(own, "PUT", f"/shifts/{record.shift_id}/feedback/mine", {"json": ACTIVITY}, ANSWERED)


def give_host_feedback(door: Door) -> Call:
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    host = door.by(Role.PARTNER, partner_id=record.partner_id)
    return Call(host, "PUT", f"/shifts/{record.shift_id}/feedback/host", {"json": GROUP}, ANSWERED)


def remark(door: Door) -> Call:
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    host = door.by(Role.PARTNER, partner_id=record.partner_id)
    path = f"/shifts/{record.shift_id}/feedback/people/{record.volunteer_id}"
    return Call(host, "PUT", path, {"json": PERSON}, ANSWERED)


def record_issuer(door: Door) -> Call:
    facts = {"prefix": f"T{uuid4().hex[:7].upper()}", "zh": "基金会", "en": "Foundation", "contact": "小跳"}
    return Call(door, "PUT", "/certificate-issuer", {"json": facts}, {"certificate_issuer": {"added": 1}})


def served(door: Door) -> Door:
    """Have somebody serve on the first of June, and call as them when it is over."""
    door.watch.now = NOON
    door.put_in(lambda tx: make_issuer(tx, programme_id=door.programme_id))
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    return door.by(Role.VOLUNTEER, person_id=record.volunteer_id)


def request_certificate(door: Door) -> Call:
    return Call(served(door), "POST", "/volunteers/me/certificates", {"json": JUNE}, ISSUED)


def issue_certificate(door: Door) -> Call:
    path = f"/volunteers/{served(door).person_id}/certificates"
    return Call(door, "POST", path, {"json": JUNE | REASON}, ISSUED)


def revoke_certificate(door: Door) -> Call:
    certificate = request_certificate(door).send(str(uuid4())).json()
    path, on = f"/certificates/{certificate['id']}", '"1"'
    return Call(door, "POST", f"{path}/revocation", {"json": REASON}, {"certificate": {"changed": 1}}, on)


CALLS: dict[str, Make] = {
    "publish_feedback_form": publish_form,
    "give_feedback": give_feedback,
    "give_host_feedback": give_host_feedback,
    "remark_on_volunteer": remark,
    "record_certificate_issuer": record_issuer,
    "request_certificate": request_certificate,
    "issue_certificate": issue_certificate,
    "revoke_certificate": revoke_certificate,
}
