"""From sign-up to donation, as the people of a programme do it: synthetic, against a running `./popcandy up`."""

import os
import subprocess
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from popcandy_activities import AuthenticatedClient
from popcandy_activities.api.attendance import correct_attendance, list_attendances
from popcandy_activities.api.check_ins import check_in, check_out, show_code
from popcandy_activities.api.listings import publish_listing
from popcandy_activities.api.partners import record_partner
from popcandy_activities.api.sign_ups import sign_up
from popcandy_activities.api.volunteers import register_volunteer
from popcandy_activities.models import (
    Attendance,
    AttendancePage,
    Correction,
    EvidenceClass,
    GivenCode,
    Listing,
    NewListing,
    NewShift,
    NewVolunteer,
    Partner,
    PartnerFacts,
    PartnerFactsAgreement,
    ShownCode,
    SignUp,
    Volunteer,
)
from popcandy_ledger import AuthenticatedClient as LedgerClient
from popcandy_ledger.api.donations import list_donations
from popcandy_ledger.api.policies import approve_policy_version, propose_policy_version
from popcandy_ledger.models import DonationPage, PolicyVersion, ProposePolicyVersion

URL = os.environ.get("POPCANDY_URL", "http://127.0.0.1:8022")
POPCANDY = os.environ.get("POPCANDY_COMMAND", str(Path(__file__).parents[2] / "popcandy"))
SERVED = timedelta(minutes=120)
LONGEST_WAIT_SECONDS = 60
ENGLISH = {"accept-language": "en"}
Answer = TypeVar("Answer")


def token_of(role: str, *, person: UUID | None = None, partner: UUID | None = None) -> str:
    """Return POPCANDY_TOKEN_<ROLE>, else a token of the platform's own issuer, which does not exist in production."""
    given = os.environ.get(f"POPCANDY_TOKEN_{role.upper()}")
    if given:
        return given
    command = [POPCANDY, "token", "--role", role]
    command += ["--person", str(person)] if person else []
    command += ["--partner", str(partner)] if partner else []
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def activities(role: str, *, person: UUID | None = None, partner: UUID | None = None) -> AuthenticatedClient:
    """Call activities as somebody."""
    return AuthenticatedClient(base_url=URL, token=token_of(role, person=person, partner=partner), headers=ENGLISH)


def ledger(role: str) -> LedgerClient:
    """Call the ledger as somebody."""
    return LedgerClient(base_url=URL, token=token_of(role), headers=ENGLISH)


def done(answer: object, kind: type[Answer]) -> Answer:
    """Return what was answered, or say the code of the problem that came instead."""
    if isinstance(answer, kind):
        return answer
    raise SystemExit(f"{getattr(answer, 'code', answer)}: {getattr(answer, 'title', '')}")


def agree_on_terms() -> None:
    """Agree on CNY 100 an hour, by two people of finance; a programme that has terms already keeps them."""
    terms = ProposePolicyVersion(
        effective_from=datetime(2022, 1, 1, tzinfo=UTC),
        fen_per_hour=10_000,
        step_minutes=30,
        min_minutes=30,
        max_minutes=480,
    )
    proposed = done(propose_policy_version.sync(client=ledger("finance"), body=terms), PolicyVersion)
    approved = approve_policy_version.sync(proposed.id, client=ledger("finance_approver"), if_match="*")
    if getattr(approved, "code", "") != "policy_overlap":
        done(approved, PolicyVersion)


def publish(operator: AuthenticatedClient, host: Partner, starts_at: datetime, mark: str) -> Listing:
    """Publish an activity of one shift that began two hours ago."""
    shift = NewShift(starts_at=starts_at, ends_at=starts_at + 2 * SERVED, capacity=1)
    listing = NewListing(partner_id=host.id, reference=f"L-{mark}", title="合成活动 (synthetic)", shifts=[shift])
    return done(publish_listing.sync(client=operator, body=listing), Listing)


def attend(shift_id: UUID, host: Partner, person: Volunteer) -> None:
    """Sign up, check in with the code on the partner's screen, and check out with the next one."""
    partner, volunteer = activities("partner", partner=host.id), activities("volunteer", person=person.id)
    done(sign_up.sync(shift_id, client=volunteer), SignUp)
    print("signed up")
    shown = done(show_code.sync(shift_id, client=partner), ShownCode)
    done(check_in.sync(shift_id, client=volunteer, body=GivenCode(shown.code)), Attendance)
    print("checked in; the code changes every half minute")
    time.sleep(max(0.0, (shown.valid_until - datetime.now(UTC)).total_seconds()) + 0.5)
    later = done(show_code.sync(shift_id, client=partner), ShownCode)
    done(check_out.sync(shift_id, client=volunteer, body=GivenCode(later.code)), Attendance)
    print("checked out")


def correct(operator: AuthenticatedClient, shift_id: UUID, starts_at: datetime) -> None:
    """Note two hours: whoever runs this serves for half a minute."""
    for recorded in done(list_attendances.sync(client=operator, shift_id=shift_id), AttendancePage).items:
        correction = Correction(
            checked_in_at=starts_at,
            checked_out_at=starts_at + SERVED,
            evidence=EvidenceClass.ATTESTED,
            reason="synthetic: the example does not wait for two hours",
        )
        done(
            correct_attendance.sync(recorded.id, client=operator, body=correction, if_match=f'"{recorded.version}"'),
            Attendance,
        )


def read_donation(shift_id: UUID) -> None:
    """Wait until finance sees what is owed for the two hours."""
    finance, deadline = ledger("finance"), time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        for donation in done(list_donations.sync(client=finance, shift_id=shift_id), DonationPage).items:
            if donation.credited_minutes == SERVED.total_seconds() // 60:
                print(f"donation: {donation.credited_minutes} minutes, CNY {donation.amount.fen / 100:.2f}")
                return
        time.sleep(0.5)
    raise SystemExit("the donation did not come within a minute")


def main() -> None:
    """Do it all."""
    mark = f"{time.time_ns():x}"
    starts_at = datetime.now(UTC).replace(second=0, microsecond=0) - SERVED
    agree_on_terms()
    operator = activities("operator")
    facts = PartnerFacts(name="合成伙伴 (synthetic)", agreement=PartnerFactsAgreement.SIGNED, since=date(2022, 1, 1))
    host = done(record_partner.sync(f"P-{mark}", client=operator, body=facts), Partner)
    employee = NewVolunteer(employee_number=f"E-{mark}", display_name="合成志愿者 (synthetic)")
    person = done(register_volunteer.sync(client=operator, body=employee), Volunteer)
    shift_id = publish(operator, host, starts_at, mark).shifts[0].id
    attend(shift_id, host, person)
    correct(operator, shift_id, starts_at)
    read_donation(shift_id)


if __name__ == "__main__":
    main()
