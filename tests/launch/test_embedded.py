"""An embedded platform as a whole: what it takes of its server."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from launch.client import Api
from launch.embedded import EmbeddedPlatform
from launch.oidc.clients import CONSOLE
from shared import clock
from shared.auth.issuer import IssuerForbidden
from shared.names import Names
from shared.roles import Role
from shared.settings import BadSetting, Settings
from tests.launch.oidc.browsing import Browsing
from tests.servers.postgres import open_folder


@pytest.fixture(scope="module")
def platform() -> Iterator[EmbeddedPlatform]:
    with open_folder() as folder:
        found = EmbeddedPlatform(folder, Settings())
        try:
            found.start()
            yield found
        finally:
            found.stop()


def api_url(platform: EmbeddedPlatform) -> str:
    return platform.provider.url.removesuffix("/oidc")


def test_all_pools_together_stay_below_what_the_server_has(platform: EmbeddedPlatform) -> None:
    """Else some part would wait for connections that another never gives back (PITFALLS H4)."""
    with closing(platform.server.open("ledger", pool_size=1)) as database, database.transaction() as tx:
        allowed = int(tx.execute(text("SHOW max_connections")).scalar_one())

    assert 20 < platform.most_connections < allowed * 9 // 10


class TestSignIn:
    def test_is_behind_the_front_door(self, platform: EmbeddedPlatform) -> None:
        """Over the standard endpoints, found from the issuer's URL alone, one person of a role is let in as that."""
        callback = next(iter(platform.provider.clients[CONSOLE].redirect_uris))
        with httpx2.Client(base_url=api_url(platform), trust_env=False, follow_redirects=False) as http:
            told = http.get("/oidc/.well-known/openid-configuration").json()
            browsing = Browsing(platform.provider, http, callback=callback)
            token = browsing.sign_in(Role.REVIEWER)["access_token"]
            answer = http.get("/api/activities/volunteers", headers={"authorization": f"Bearer {token}"})
            refused = http.post("/api/activities/volunteers", headers={"authorization": f"Bearer {token}"}, json={})

        assert told["issuer"] == platform.provider.url
        assert answer.status_code == 200
        assert refused.json()["code"] == "missing_permission"

    def test_ties_people_to_the_programmes_records(self, platform: EmbeddedPlatform) -> None:
        """A demo volunteer is registered, and a demo partner's member publishes for a partner that exists."""
        people = platform.provider.people.all()
        volunteers = {person.id for person in people if person.role is Role.VOLUNTEER}
        partner = next(person for person in people if person.role is Role.PARTNER)
        listing = {
            "partner_id": str(partner.partner_id), "reference": "SIGN-IN", "title": "陪伴老人",
            "shifts": [{"starts_at": "2030-01-01T09:00:00Z", "ends_at": "2030-01-01T11:00:00Z", "capacity": 5}],
        }  # fmt: skip
        with Api(api_url(platform)) as api:
            known = api.get("/api/activities/volunteers", token=platform.token(Role.OPERATOR))["items"]
            token = platform.token(Role.PARTNER, person_id=partner.id, partner_id=partner.partner_id)
            published = api.post("/api/activities/listings", listing, token=token)

        assert volunteers <= {UUID(each["id"]) for each in known}
        assert UUID(published["partner_id"]) == partner.partner_id

    def test_does_not_exist_in_production(self) -> None:
        """Not even the folder's keys are made."""
        with open_folder() as folder:
            with pytest.raises(IssuerForbidden):
                EmbeddedPlatform(folder, Settings(environment="production"))
            assert list(folder.iterdir()) == []

    def test_goes_on_when_keys_are_rotated_by_another_process(self, platform: EmbeddedPlatform) -> None:
        """`./popcandy keys rotate`: tokens of before and after are good, without a restart."""
        before = platform.token(Role.OPERATOR)
        EmbeddedPlatform(platform.folder, Settings()).issuer.rotate()
        after = platform.token(Role.OPERATOR)

        with Api(api_url(platform)) as api:
            for token in (before, after):
                assert "items" in api.get("/api/activities/volunteers", token=token)
        assert before.partition(".")[0] != after.partition(".")[0]


def test_a_service_asks_another_for_names(platform: EmbeddedPlatform) -> None:
    """With its own token, over HTTP, in the programme that it names; it may do nothing else there."""
    tokens = platform.tokens_of("ledger")
    with Api(api_url(platform)) as api:
        body = {"employee_number": "E1", "display_name": "合成甲"}
        person = UUID(api.post("/api/activities/volunteers", body, token=platform.token(Role.OPERATOR))["id"])
    with closing(Names(api_url(platform), tokens)) as names:
        assert names.look_up(platform.programme_id, [person], now=clock.now()) == {person: "合成甲"}
        assert names.look_up(UUID(int=1), [person], now=clock.now()) == {}

    headers = tokens.headers(platform.programme_id, now=clock.now())
    answer = httpx2.get(f"{api_url(platform)}/api/activities/volunteers", headers=headers, trust_env=False)
    assert answer.json()["code"] == "missing_permission"


@pytest.mark.parametrize("chosen", [{"books": 30}, {"scans": 89}])
def test_a_term_that_cannot_be_stops_the_start(tmp_path: Path, chosen: dict[str, int]) -> None:
    """Rather than the night in which something would be deleted."""
    with pytest.raises(BadSetting, match=next(iter(chosen))):
        EmbeddedPlatform(tmp_path / "p", Settings(retention_days=chosen))
