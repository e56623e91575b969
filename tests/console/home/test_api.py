import html
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from werkzeug import Response

from services.console.home.queries import SERVICES
from services.console.home.rules import SECTIONS_OF
from shared import clock
from shared.roles import Role, reach_of
from tests.console.doubles import CHECKED_IN, ActivitiesApi
from tests.console.figures import NINE, SHIFT_ID
from tests.console.provider import Provider
from tests.console.signing_in import csrf_of, sign_in

ENGLISH = {"accept-language": "en"}
HTMX = {"hx-request": "true"}
ONCE = re.compile(r'name="once" value="([0-9a-f-]{36})"')
SIGN_UP = f"/shifts/{SHIFT_ID}/sign-up"

# Which permission the services' routes declare for what the page asks (services/*/*/api.py).
PERMISSION_OF = {
    "/api/activities/listings": "listings.read",
    f"/api/activities/shifts/{SHIFT_ID}/attendance/mine": "attendance.read",
    "/api/activities/summary": "activities.summarise",
    "/api/activities/attendances": "attendance.oversee",
    "/api/ledger/waterfall": "waterfall.read",
    "/api/ledger/balances": "balances.read",
    "/api/ledger/policy-versions": "policies.read",
    "/api/ledger/trial-balance": "balances.read",
    "/api/activities/flow": "events.operate",
    "/api/ledger/flow": "events.operate",
    "/api/activities/imports": "imports.follow",
    "/api/activities/audit-entries": "audit.read",
    "/api/ledger/audit-entries": "audit.read",
}


def words(response: httpx2.Response) -> str:
    return html.unescape(response.text)


@pytest.fixture(autouse=True)
def before_the_shift() -> Iterator[None]:
    """Stand two hours before the double's shift."""
    clock.travel(NINE - timedelta(hours=2))
    yield
    clock.come_back()


def home_of(client: TestClient, provider: Provider, *roles: str) -> TestClient:
    provider.person["roles"] = list(roles)
    sign_in(client)
    client.headers["x-csrf-token"] = csrf_of(client)
    return client


class TestHome:
    @pytest.mark.parametrize("role", sorted(SECTIONS_OF))
    def test_asks_nothing_that_the_role_may_not_see(
        self, stranger: TestClient, provider: Provider, activities: ActivitiesApi, role: str
    ) -> None:
        """Each part is one that the APIs would give this role."""
        page = home_of(stranger, provider, role).get("/")

        assert page.status_code == 200
        asked = {seen.path for seen in activities.seen}
        assert asked
        for path in asked:
            assert reach_of(PERMISSION_OF[path], {Role(role)}) is not None, (role, path)
        assert 'role="alert"' not in page.text or role in {"ops", "admin"}  # Whose double says that a broker is away.

    @pytest.mark.parametrize(
        ("role", "zh", "en"),
        [
            ("volunteer", ["近期场次", "2022年6月18日 周六", "已报 5 / 12", "已报名"], ["5 of 12 taken", "Signed up"]),
            ("partner", [f'href="/shifts/{SHIFT_ID}/code"', "¥20,000.01"], ["Owed to us", "Code screen"]),
            ("operator", ["1,234", "2,468 小时 5 分钟", "38 / 40"], ["2,468 h 5 min", "Scanned"]),
            ("reviewer", ["2022-06-18", "扫码", "只显示前几条"], ["Settled", "2 h 5 min"]),
            ("finance", ["¥185,000.50", "不足起算时长", "1 小时 25 分钟"], ["Too short", "1 h 25 min"]),
            ("finance_approver", ["待审批", "¥120.00", "2023-01-01 起"], ["Awaits approval", "From 2023-01-01"]),
            ("funder", ["占记录时长 94%"], ["94% of the recorded time"]),
            ("operator", ["考勤", "attendance-2022.xlsx", "2022-06-18 09:00"], ["7 rejected", "1,200 new"]),
            ("operator", ["615 / 1,230", "导入中", "班次已取消", "of_the_future"], ["Called off", "To be confirmed"]),
            ("auditor", ["账目平衡", "-20,000.01", "2022-01-01 至 2023-01-01"], ["The books balance"]),
            ("auditor", ["取消场次", "场馆停电", "另有 11 次"], ["Approve a policy version", "Denied"]),
            ("auditor", ["an_operation_of_the_future", SHIFT_ID[-8:]], ["by way of popcandy-activities"]),
            ("admin", ["操作记录", "2022-06-18 09:09"], ["Audit trail"]),
            ("ops", ["消息代理没有应答", "未知", "./popcandy dead list"], ["Dead letters", "Unknown"]),
            ("admin", ["消息流转"], ["Message flow"]),
        ],
    )  # fmt: skip
    def test_shows_what_the_role_has_to_look_at(
        self, stranger: TestClient, provider: Provider, role: str, zh: list[str], en: list[str]
    ) -> None:
        """In the reader's language, in the reader's units."""
        client = home_of(stranger, provider, role)

        assert [text for text in zh if text not in words(client.get("/"))] == []
        assert [text for text in en if text not in words(client.get("/", headers=ENGLISH))] == []

    @pytest.mark.parametrize(
        ("role", "empty"),
        [
            ("volunteer", ["目前没有可报名的场次"]),
            ("partner", ["没有即将开始的场次", "¥0.00", "还没有可计算的时长"]),
            ("reviewer", ["还没有服务记录", "还没有签到记录"]),
            ("operator", ["还没有导入过表格"]),
            ("auditor", ["还没有分录", "还没有配捐标准", "还没有操作记录"]),
        ],
    )
    def test_says_what_will_be_there(
        self, stranger: TestClient, provider: Provider, activities: ActivitiesApi, role: str, empty: list[str]
    ) -> None:
        """A new programme's pages are not blank."""
        activities.listings = []
        nothing: dict[str, Any] = {"items": [], "next": None}
        lists = (
            "activities/attendances", "activities/imports", "activities/audit-entries", "ledger/audit-entries",
            "ledger/balances", "ledger/policy-versions",
        )  # fmt: skip
        activities.documents = {f"/api/{path}": nothing for path in lists} | {
            "/api/activities/summary": dict.fromkeys(
                [
                    "participations", "volunteers", "without_check_out", "service_minutes", "shifts", "shifts_held",
                    "shifts_cancelled", "partners_signed", "partners_carried_over",
                ], 0,
            ),
            "/api/ledger/waterfall": {
                "participations": 0, "recorded_minutes": 0, "matchable_minutes": 0, "credited_minutes": 0,
                "accrued": {"fen": 0}, "drops": [],
            },
            "/api/ledger/trial-balance": {
                "accounts": [], "differing_balances": 0, "unbalanced_entries": 0, "differing_totals": 0,
                "balanced": True,
            },
        }  # fmt: skip

        page = words(home_of(stranger, provider, role).get("/"))

        assert [text for text in empty if text not in page] == []

    def test_says_that_the_books_do_not_balance(
        self, stranger: TestClient, provider: Provider, activities: ActivitiesApi
    ) -> None:
        """The one thing that an auditor must not overlook."""
        activities.documents["/api/ledger/trial-balance"] = {
            "accounts": [], "differing_balances": 2, "unbalanced_entries": 1, "differing_totals": 3, "balanced": False,
        }  # fmt: skip

        page = words(home_of(stranger, provider, "auditor").get("/"))

        assert "账目不平" in page
        assert "不平的分录 1 笔，不符的余额 2 项，不符的机构合计 3 项。" in page

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            (Response("", 500), "系统暂时连不上"),
            (Response('{"participations": "many"}', 200), "系统暂时连不上"),
            (
                Response(
                    '{"code": "missing_permission", "title": "您没有权限", "status": 403}', 403,
                    content_type="application/problem+json",
                ),
                "您没有权限",
            ),
        ],
    )  # fmt: skip
    def test_one_part_fails_by_itself(
        self, stranger: TestClient, provider: Provider, activities: ActivitiesApi, answer: Response, text: str
    ) -> None:
        """What the other API tells is there all the same."""
        activities.by_path["/api/ledger/waterfall"] = answer

        page = home_of(stranger, provider, "operator").get("/")

        assert page.status_code == 200
        assert text in words(page)
        assert "1,234" in page.text

    def test_waits_for_a_slow_api_once(
        self, stranger: TestClient, provider: Provider, activities: ActivitiesApi
    ) -> None:
        """Four parts must not take four times as long to say so."""
        client = home_of(stranger, provider, "operator")
        activities.seen.clear()

        release = threading.Event()
        activities.hold = release
        app: Any = stranger.app
        app.app.app.state.api.timeout = httpx2.Timeout(0.2)  # Else ten seconds.
        page = client.get("/")
        release.set()

        assert words(page).count("系统响应太慢") == len(SECTIONS_OF["operator"])
        assert len(activities.seen) == 1

    def test_joins_the_trails_of_all_services_by_time(
        self, stranger: TestClient, provider: Provider, activities: ActivitiesApi
    ) -> None:
        """The newest five of them all, and word that there are more."""
        page = words(home_of(stranger, provider, "auditor").get("/parts/audit", headers=HTMX | ENGLISH))

        found = re.findall(r"2022-06-18 (\d\d:\d\d)<", page)
        assert found == ["09:09", "09:08", "09:07", "09:02", "09:01"]
        assert "Only the first few are shown." in page
        asked = [dict(seen.args) for seen in activities.seen if "audit-entries" in seen.path]
        assert asked[-2:] == [{"limit": "5"}, {"limit": "5"}]

    def test_of_nobody_in_particular_says_what_to_do(self, stranger: TestClient, provider: Provider) -> None:
        """An account without a role, or with one that we do not know."""
        page = words(home_of(stranger, provider, "from_the_future").get("/"))

        assert "您的账户还没有角色" in page
        assert "from_the_future" in page


class TestPart:
    def test_is_loaded_anew_by_itself(self, stranger: TestClient, provider: Provider) -> None:
        """Without the page around it."""
        part = home_of(stranger, provider, "ops").get("/parts/flow", headers=HTMX)

        assert part.status_code == 200
        assert part.text.lstrip().startswith("<section")
        for service in SERVICES:
            assert service in part.text

    @pytest.mark.parametrize("section", ["flow", "nonsense", "trial_balance"])
    def test_of_another_role_is_not_there(
        self, stranger: TestClient, provider: Provider, activities: ActivitiesApi, section: str
    ) -> None:
        """Nothing is asked of the APIs for it."""
        client = home_of(stranger, provider, "volunteer")
        activities.seen.clear()

        assert client.get(f"/parts/{section}").status_code == 404
        assert activities.seen == []

    def test_of_who_is_signed_out_leads_to_the_sign_in(self, stranger: TestClient) -> None:
        """By the header that the script follows."""
        answer = stranger.get("/parts/flow", headers=HTMX)

        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


class TestSignUp:
    @pytest.fixture
    def volunteer(self, stranger: TestClient, provider: Provider, activities: ActivitiesApi) -> TestClient:
        activities.refuse("attendance/mine", "not_signed_up", status=404)
        return home_of(stranger, provider, "volunteer")

    def test_takes_a_place(self, volunteer: TestClient, activities: ActivitiesApi) -> None:
        """And the page shows it, with the way to the check-in page."""
        assert f'action="{SIGN_UP}"' in volunteer.get("/").text

        sent_on = volunteer.post(SIGN_UP)
        activities.refusals.clear()
        page = volunteer.get("/")

        assert (sent_on.status_code, sent_on.headers["location"]) == (303, "/")
        assert [seen.path for seen in activities.seen if seen.method == "POST"] == [
            f"/api/activities/shifts/{SHIFT_ID}/sign-ups"
        ]
        assert f'href="/c/{SHIFT_ID}"' in page.text
        assert SIGN_UP not in page.text

    def test_by_two_taps_is_one_call_to_the_api(self, volunteer: TestClient, activities: ActivitiesApi) -> None:
        """Both carry the number that was drawn with the form; a form that is drawn anew is another."""
        once = [ONCE.findall(volunteer.get("/").text) for _ in range(2)]
        for drawn in (once[0][0], once[0][0], once[1][0], "", "no number"):
            volunteer.post(SIGN_UP, data={"once": drawn})

        keys = [seen.headers.get("idempotency-key") for seen in activities.seen if seen.method == "POST"]
        assert keys[0] == keys[1]
        assert len({keys[0], keys[2], None}) == 3
        assert keys[3:] == [None, None]

    def test_that_is_refused_says_so_once(self, volunteer: TestClient, activities: ActivitiesApi) -> None:
        """Somebody else was quicker; and the phone's page does not repeat it."""
        activities.refuse("sign-ups", "shift_full", title="名额已满")
        volunteer.post(SIGN_UP)
        activities.refusals.pop("attendance/mine")

        on_phone, told, again = volunteer.get(f"/c/{SHIFT_ID}"), volunteer.get("/"), volunteer.get("/")

        assert "名额已满" not in words(on_phone)
        assert "名额已满" in words(told)
        assert "名额已满" not in words(again)

    def test_by_script_changes_its_part_in_place(self, volunteer: TestClient, activities: ActivitiesApi) -> None:
        """With the refusal in it, if there is one."""
        activities.refuse("sign-ups", "shift_full", title="名额已满")
        refused = volunteer.post(SIGN_UP, headers=HTMX)
        activities.refusals.clear()
        activities.place = CHECKED_IN
        done = volunteer.post(SIGN_UP, headers=HTMX)

        assert refused.text.lstrip().startswith('<section class="card part" id="shifts"')
        assert "名额已满" in words(refused)
        assert "已签到" in words(done)

    @pytest.mark.parametrize(("taken", "hours", "text"), [(12, 0, "已满"), (5, 3, "已开始")])
    def test_is_not_offered_where_it_cannot_work(
        self, volunteer: TestClient, activities: ActivitiesApi, taken: int, hours: int, text: str
    ) -> None:
        """Full, or already going on."""
        activities.listings[0]["shifts"][0]["taken"] = taken
        clock.travel(clock.now() + timedelta(hours=hours))
        page = volunteer.get("/")

        assert text in words(page)
        assert SIGN_UP not in page.text
