"""HTTP door of certificates."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from services.activities.certificates import actions, queries, rules, schemas, tables
from services.activities.certificates.rules import State
from services.activities.certificates.schemas import CERTIFICATES
from services.activities.records.queries import Period
from shared.auth.callers import Caller
from shared.auth.certificate_keys import CertificateKeys, certificate_keys
from shared.documents import certificates, typesetting
from shared.errors import NotFound
from shared.roles import Reach
from shared.web import problems
from shared.web.doors import Begin, Now, Reading, Tx, anybody, may
from shared.web.fields import Text
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, ReadIfAny, Tagged
from shared.web.refusals import refuses
from shared.web.representations import JSON, PDF, Form, one_of
from shared.web.routes import Router
from shared.zones import UnknownTimezone

router = Router(tags=["certificates"])

Recorder = Annotated[Caller, Depends(may("certificate_issuers.record"))]
Volunteer = Annotated[Caller, Depends(may("certificates.request"))]
Issuer = Annotated[Caller, Depends(may("certificates.issue"))]
Lister = Annotated[Caller, Depends(may("certificates.list"))]
Reader = Annotated[Caller, Depends(may("certificates.read"))]
Revoker = Annotated[Caller, Depends(may("certificates.revoke"))]
PaperForm = Annotated[Form, Depends(one_of(JSON, PDF))]
Number = Annotated[Text, Path(min_length=1, max_length=30)]
Code = Annotated[Text, Query(min_length=1, max_length=40, description="What the certificate says as its code.")]
Prefix = Annotated[schemas.Prefix, Path()]
Year = Annotated[int, Path(ge=2000, le=2199)]

FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {PDF.media_type: {"schema": {"type": "string", "format": "binary"}}}},
    406: {"description": "None of the forms that there are is accepted", "content": {problems.MEDIA_TYPE: {}}},
    429: {"description": "Too many documents are being made", "content": {problems.MEDIA_TYPE: {}}},
}
ISSUING = (
    NotFound, rules.NotSetUp, rules.NoIssuer, rules.BadPeriod, rules.NothingToCertify, rules.TooManyServices
)  # fmt: skip


@router.get("/certificate-issuer", operation_id="get_certificate_issuer", response_model=schemas.Issuer)
@refuses(NotFound)
def get_certificate_issuer(caller: Recorder, tx: Tx) -> Tagged:
    """Show who issues the programme's certificates."""
    issuer = queries.find_issuer(tx, programme_id=caller.programme_id)
    if issuer is None:
        raise NotFound
    return Tagged(issuer, issuer)


@router.put("/certificate-issuer", operation_id="record_certificate_issuer", response_model=schemas.Issuer)
@refuses(UnknownTimezone, rules.PrefixTaken)
def record_certificate_issuer(
    body: schemas.IssuerFacts, caller: Recorder, tx: Tx, seen: ReadIfAny
) -> tables.CertificateIssuer:  # fmt: skip
    """Note who issues the programme's certificates; a change needs `If-Match`."""
    facts = actions.IssuerFacts(**body.model_dump())
    return actions.record_issuer(tx, facts, programme_id=caller.programme_id, seen=seen)


@router.post(
    "/volunteers/me/certificates", status_code=201, operation_id="request_certificate",
    response_model=schemas.Certificate,
)  # fmt: skip
@refuses(*ISSUING)
def request_certificate(body: schemas.Wish, caller: Volunteer, tx: Tx, now: Now) -> tables.Certificate:
    """Have one's own service in a period certified; while that holds, again returns the same certificate."""
    return actions.issue(tx, _wish(caller.person_id, body, caller, now), certificate_keys())


@router.post(
    "/volunteers/{volunteer_id}/certificates", status_code=201, operation_id="issue_certificate",
    response_model=schemas.Certificate,
)  # fmt: skip
@refuses(*ISSUING)
def issue_certificate(
    volunteer_id: UUID, body: schemas.WishOnBehalf, caller: Issuer, tx: Tx, now: Now
) -> tables.Certificate:  # fmt: skip
    """Certify the service of somebody who asked for it otherwise than by signing in."""
    return actions.issue(tx, _wish(volunteer_id, body, caller, now), certificate_keys())


@router.get(
    "/certificates", operation_id="list_certificates", response_model=CERTIFICATES.page,
    responses=CERTIFICATES.responses,
)  # fmt: skip
def list_certificates(caller: Lister, asked: Annotated[Asked, Depends(CERTIFICATES.asked)], tx: Tx) -> Answer:
    """List certificates; a volunteer sees their own."""
    return CERTIFICATES.answer(asked, tx, caller, queries.certificates_of(caller.programme_id, _scope(caller)))


@router.get(
    "/certificates/{certificate_id}", operation_id="get_certificate", response_model=schemas.Certificate,
    responses=FORMS,
)  # fmt: skip
@refuses(NotFound, rules.NotSetUp, rules.CertificateNotValid, typesetting.TooLongToSet, typesetting.StillSetting)
def get_certificate(
    certificate_id: UUID, caller: Reader, form: PaperForm, language: Reading, begin: Begin, request: Request
) -> Tagged | Response:
    """Show a certificate as it stands; as a PDF in Chinese or English, signed, as long as it holds."""
    with begin() as tx:
        row = queries.get_certificate(
            tx, certificate_id, programme_id=caller.programme_id, volunteer_scope=_scope(caller)
        )  # fmt: skip
        state = queries.state_of(tx, row)
        if form is JSON:
            return Tagged(row, schemas.certificate(row, state))
        tx.expunge(row)
    if state is not State.VALID or row.content is None:
        raise rules.CertificateNotValid(state=state.value)
    check = f"{request.base_url}api/activities/certificates/{row.number}/check"
    headers = {
        "content-disposition": f'inline; filename="{row.number}.pdf"',
        "content-language": language,
        "vary": "Accept, Accept-Language",
    }
    return Response(_sealed(row, row.content, language, check), media_type=PDF.media_type, headers=headers)


@router.post(
    "/certificates/{certificate_id}/revocation", operation_id="revoke_certificate", response_model=schemas.Certificate
)
@refuses(NotFound, rules.CertificateRevoked)
def revoke_certificate(
    certificate_id: UUID, body: schemas.Revocation, caller: Revoker, tx: Tx, now: Now, seen: Read
) -> tables.Certificate:  # fmt: skip
    """Take a certificate back for good; whoever checks it is told so."""
    return actions.revoke(
        tx, certificate_id, programme_id=caller.programme_id, seen=seen, because=body.reason, by=caller.person_id,
        now=now,
    )  # fmt: skip


@router.get("/certificates/{number}/check", operation_id="check_certificate", dependencies=[Depends(anybody)])
@refuses(NotFound)
def check_certificate(number: Number, code: Code, tx: Tx) -> schemas.Check:
    """Say how a certificate stands, to anybody who has it: its number and its code."""
    row = queries.find_by_number(tx, number)
    if row is None or not actions.has_code(row, code):
        raise NotFound(number=number)
    return schemas.Check(
        number=row.number, service_from=row.service_from, service_until=row.service_until,
        total_minutes=row.total_minutes, state=queries.state_of(tx, row),
    )  # fmt: skip


@router.get("/certificate-keys", operation_id="list_certificate_keys", dependencies=[Depends(anybody)])
@refuses(rules.NotSetUp)
def list_certificate_keys() -> schemas.Keys:
    """List the public keys that certificates are verified with, as a JWK Set, the newest first."""
    return schemas.Keys.model_validate(_keys().jwks())


@router.get(
    "/certificate-endings/{prefix}/{year}", operation_id="list_certificate_endings", dependencies=[Depends(anybody)]
)
def list_certificate_endings(prefix: Prefix, year: Year, tx: Tx) -> schemas.Endings:
    """List the numbers of certificates that were revoked or superseded, for who verifies offline."""
    ended = queries.list_ended(tx, prefix=prefix, year=year)
    items = [schemas.Ended(number=number, state=State(state)) for number, state in ended]
    return schemas.Endings(prefix=prefix, year=year, items=items)


def _scope(caller: Caller) -> UUID | None:
    return caller.person_id if caller.reach is Reach.PERSON else None


def _wish(volunteer_id: UUID, body: schemas.Wish, caller: Caller, now: Now) -> actions.Wish:
    period = Period(body.service_from, body.service_until)
    return actions.Wish(caller.programme_id, volunteer_id, period, caller.person_id, now)


def _keys() -> CertificateKeys:
    keys = certificate_keys()
    if keys is None:
        raise rules.NotSetUp
    return keys


def _sealed(row: tables.Certificate, content: dict[str, Any], language: Reading, check: str) -> bytes:
    """Set a certificate and sign the file. Raises NotSetUp without the key that signed the statement."""
    keys, signed = _keys(), actions.signed_of(row)
    if row.key_id not in keys.ids:
        raise rules.NotSetUp(key_id=row.key_id)
    paper = schemas.paper_of(row, content, signed, language=language, check=f"{check}?code={signed.code}")
    return certificates.seal(typesetting.typeset(paper), signed, partial(keys.sign, key_id=row.key_id))
