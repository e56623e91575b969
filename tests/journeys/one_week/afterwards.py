"""What people say of a shift, to whom that is shown, and the certificate that somebody takes home."""

from pathlib import Path
from typing import Any

import httpx2
from typer.testing import CliRunner

from launch.cli import app
from tests.journeys.one_week.company import PATH, Company, moment
from tests.journeys.people import Shift, Volunteer

OF_ACTIVITY = {"overall": 5, "organisation": 4, "meaning": 5, "would_return": True, "liked": "和孩子一起"}
OF_GROUP = {"overall": 4, "punctuality": 3, "cooperation": 5, "as_expected": True}
OF_PERSON = {"attitude": 5, "contribution": 5, "comment": "很细心"}


def tell_each_other(company: Company, shift: Shift, volunteer: Volunteer) -> dict[str, Any]:
    """Answer from both sides; return what each side then reads of the other."""
    path = f"{PATH}/shifts/{shift.id}/feedback"
    volunteer.put(f"{path}/mine", {"form_version": 0, "answers": OF_ACTIVITY})
    company.partner.put(f"{path}/host", {"form_version": 0, "answers": OF_GROUP})
    company.partner.put(f"{path}/people/{volunteer.id}", {"form_version": 0, "answers": OF_PERSON})
    of_activity, of_group, of_person = (
        person.get(f"{PATH}/{list_}", shift_id=shift.id)["items"]
        for person, list_ in ((company.partner, "feedback"), (company.operator, "feedback"), (volunteer, "remarks"))
    )
    return {
        "partner": [(each["side"], each["answers"]["overall"]) for each in of_activity if each["side"] == "volunteer"],
        "operator": sorted((each["side"], each["answers"]["overall"]) for each in of_group),
        "volunteer": [each["answers"]["comment"] for each in of_person],
    }


def certify(company: Company, volunteer: Volunteer, folder: Path) -> list[str]:
    """Take a certificate home; return what `certificate verify` says of it, of it with a byte changed, and revoked."""
    period = {"service_from": moment(0, 0).date().isoformat(), "service_until": moment(7, 0).date().isoformat()}
    certificate = volunteer.post(f"{PATH}/volunteers/me/certificates", period)
    assert certificate["total_minutes"] == volunteer.get(f"{PATH}/volunteers/me/service-record")["service_minutes"]
    path = f"{PATH}/certificates/{certificate['id']}"
    whole, changed = folder / "certificate.pdf", folder / "changed.pdf"
    whole.write_bytes(content := _download(volunteer, path))
    middle = len(content) // 2
    changed.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    said = [_verify(company, whole), _verify(company, changed)]
    company.operator.decide(path, "revocation", {"reason": "信息有误"})
    return [*said, _verify(company, whole)]


def _download(volunteer: Volunteer, path: str) -> bytes:
    headers = {"authorization": f"Bearer {volunteer.token}", "accept": "application/pdf"}
    answer = httpx2.get(volunteer.town.apis["activities"].url + path, headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == httpx2.codes.OK, answer.text
    return answer.content


def _verify(company: Company, file: Path) -> str:
    """Ask the command line, against the platform's public page; return its first word."""
    url = company.town.apis["activities"].url
    return CliRunner().invoke(app, ["certificate", "verify", str(file), "--url", url]).output.split()[0]
