"""HTTP door of consents."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.consents import actions, queries, rules, schemas, tables
from services.activities.volunteers.queries import get_volunteer
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["consents"])

TextReader = Annotated[Caller, Depends(may("consents.read_texts"))]
Volunteer = Annotated[Caller, Depends(may("consents.give"))]
Recorder = Annotated[Caller, Depends(may("consents.record"))]


@router.get("/consent-texts", operation_id="list_consent_texts")
def list_consent_texts(caller: TextReader) -> schemas.ConsentTexts:  # noqa: ARG001  Its permission is what counts.
    """List what people are shown before they decide, in every version."""
    items = [_text(purpose, terms, text) for purpose, terms in rules.TERMS.items() for text in terms.texts]
    return schemas.ConsentTexts(items=items)


@router.get("/volunteers/me/consents", operation_id="list_own_consents")
@refuses(NotFound)
def list_own_consents(caller: Volunteer, tx: Tx) -> schemas.Consents:
    """List everything that the caller ever decided."""
    return _history(tx, caller, caller.person_id)


@router.post("/volunteers/me/consents", status_code=201, operation_id="give_consent", response_model=schemas.Consent)
@refuses(NotFound, rules.UnknownText, rules.TextOutdated)
def give_consent(body: schemas.Giving, caller: Volunteer, tx: Tx, now: Now) -> tables.Consent:
    """Consent to one purpose, after reading the current text; again changes nothing."""
    return actions.give(tx, _record(caller.person_id, body, caller, now), version=body.version)


@router.post(
    "/volunteers/me/consents/withdrawals", status_code=201, operation_id="withdraw_consent",
    response_model=schemas.Consent,
)  # fmt: skip
@refuses(NotFound, rules.NothingGiven)
def withdraw_consent(body: schemas.Withdrawing, caller: Volunteer, tx: Tx, now: Now) -> tables.Consent:
    """Withdraw a consent, with effect at once; again changes nothing."""
    return actions.withdraw(tx, _record(caller.person_id, body, caller, now))


@router.get("/volunteers/{volunteer_id}/consents", operation_id="list_consents")
@refuses(NotFound)
def list_consents(volunteer_id: UUID, caller: Recorder, tx: Tx) -> schemas.Consents:
    """List everything that a person ever decided."""
    return _history(tx, caller, volunteer_id)


@router.post(
    "/volunteers/{volunteer_id}/consents", status_code=201, operation_id="record_consent",
    response_model=schemas.Consent,
)  # fmt: skip
@refuses(NotFound, rules.UnknownText, rules.TextOutdated)
def record_consent(
    volunteer_id: UUID, body: schemas.GivingOnBehalf, caller: Recorder, tx: Tx, now: Now
) -> tables.Consent:
    """Record the consent of somebody who gave it otherwise, as on paper; the reason says where it is."""
    record = _record(volunteer_id, body, caller, now, reason=body.reason)
    return actions.give(tx, record, version=body.version)


@router.post(
    "/volunteers/{volunteer_id}/consents/withdrawals", status_code=201, operation_id="record_withdrawal",
    response_model=schemas.Consent,
)  # fmt: skip
@refuses(NotFound, rules.NothingGiven)
def record_withdrawal(
    volunteer_id: UUID, body: schemas.WithdrawingOnBehalf, caller: Recorder, tx: Tx, now: Now
) -> tables.Consent:
    """Record that somebody withdraws who said so otherwise; it has effect at once."""
    return actions.withdraw(tx, _record(volunteer_id, body, caller, now, reason=body.reason))


def _history(tx: Tx, caller: Caller, volunteer_id: UUID) -> schemas.Consents:
    volunteer = get_volunteer(tx, programme_id=caller.programme_id, volunteer_id=volunteer_id)
    rows = queries.list_consents(tx, volunteer_id=volunteer.id)
    return schemas.Consents(items=[schemas.Consent.model_validate(row) for row in rows])


def _record(
    volunteer_id: UUID, body: schemas.Withdrawing, caller: Caller, now: datetime, *, reason: str | None = None
) -> actions.Record:
    return actions.Record(caller.programme_id, volunteer_id, body.purpose, body.language, caller.person_id, reason, now)


def _text(purpose: rules.Purpose, terms: rules.Terms, text: rules.Text) -> schemas.ConsentText:
    return schemas.ConsentText(
        purpose=purpose, version=text.version, is_current=text is terms.current,
        holds=text.version >= terms.holds_since, zh=text.zh, en=text.en, digest=text.digest,
    )  # fmt: skip
