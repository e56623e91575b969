"""What demo people are tied to in the programme's records, asked for and made through the public doors."""

from collections.abc import Callable, Iterable
from uuid import UUID

from launch.client import Api
from launch.oidc.people import Attached, Known
from shared.roles import Role

Sign = Callable[[Role], str]

NEWEST = 200  # Listings in which to look for partners.
PARTNER_FACTS = {"agreement": "signed", "since": "2022-01-01"}


def record_own(api_url: str, sign: Sign) -> Attached:
    """Record two volunteers and two partners for the demo people alone; those of before are found again."""
    with Api(api_url) as api:
        token = sign(Role.OPERATOR)
        volunteers = [
            api.post("/api/activities/volunteers", {"employee_number": number, "display_name": name}, token=token)
            for number, name in (("DEMO-A", "合成甲"), ("DEMO-B", "合成乙"))
        ]
        partners = [
            api.put(f"/api/activities/partners/{reference}", {"name": name, **PARTNER_FACTS}, token=token)
            for reference, name in (("DEMO-A", "合成机构甲"), ("DEMO-B", "合成机构乙"))
        ]
    first, second = (Known(UUID(each["id"])) for each in volunteers)
    return Attached((first, second), _two(UUID(each["id"]) for each in partners))


def of_season(api: Api, sign: Sign) -> Attached:
    """Return volunteers and partners of a synthetic season that was brought in."""
    token = sign(Role.OPERATOR)
    volunteers = api.get("/api/activities/volunteers", limit=2, token=token)["items"]
    listings = api.get("/api/activities/listings", limit=NEWEST, token=token)["items"]
    people = [Known(UUID(each["id"]), each["display_name"]) for each in volunteers]
    return Attached((people[0], people[-1]), _two(UUID(each["partner_id"]) for each in listings))


def _two(ids: Iterable[UUID]) -> tuple[UUID, UUID]:
    """Return the first two that differ, or the one twice."""
    different = list(dict.fromkeys(ids))[:2]
    return different[0], different[-1]
