from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.console.phone import rules
from services.console.phone.rules import Place, Shift, Step
from tests.console.doubles import SHIFT_ID, make_token

NOON = datetime(2022, 6, 18, 4, 0, tzinfo=UTC)
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in "123456")


def make_shift(state: str = "open") -> Shift:
    return Shift(UUID(SHIFT_ID), "2022-LIB-07", "故事会", NOON, NOON + timedelta(hours=2), "Asia/Shanghai", state)


class TestNextStep:
    @pytest.mark.parametrize(
        ("place", "step"),
        [
            (Place("expected"), Step.CHECK_IN),
            (Place("checked_in"), Step.CHECK_OUT),
            (Place("settled"), Step.DONE),
            (Place("voided"), Step.VOIDED),
        ],
    )
    @pytest.mark.parametrize("state", ["open", "running", "held"])
    def test_offers_one_thing(self, place: Place, step: Step, state: str) -> None:
        """The page has one big button, and it is the right one."""
        assert rules.next_step(make_shift(state), place) is step

    @pytest.mark.parametrize(
        ("place", "step"),
        [
            (Place("expected"), Step.CANCELLED),
            (Place("checked_in"), Step.CANCELLED),
            (Place("settled"), Step.DONE),
            (Place("voided"), Step.VOIDED),
        ],
    )
    def test_offers_nothing_on_a_cancelled_shift(self, place: Place, step: Step) -> None:
        """What was settled before stays to be seen."""
        assert rules.next_step(make_shift("cancelled"), place) is step


@pytest.mark.parametrize(
    ("seconds", "remaining"), [(30, 30_000), (1.5, 1_500), (1, 1_000), (0.999, 1_000), (0, 1_000), (-3_600, 1_000)]
)
def test_a_screen_never_asks_more_than_once_a_second(seconds: float, remaining: int) -> None:
    """Clocks that differ must not turn a wall of screens into a storm."""
    assert rules.remaining_ms(NOON + timedelta(seconds=seconds), now=NOON) == remaining


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("123456", "123456"), (" 123 456 ", "123456"), ("123-456", "123456"), (FULL_WIDTH, "123456"), ("12a", "12a")],
)
def test_a_code_may_be_typed_as_phones_type(typed: str, plain: str) -> None:
    """Chinese keyboards give full-width digits; the screen groups them by three."""
    assert rules.plain_code(typed) == plain


@pytest.mark.parametrize(
    ("code", "kept"), [("123456", True), ("12345", False), ("1234567", False), (FULL_WIDTH, False)]
)
def test_only_six_digits_of_an_address_are_a_code(code: str, kept: bool) -> None:  # noqa: FBT001  A case's expectation.
    """Anything else in the address leaves the reader to type."""
    assert (rules.scanned_code(code) is not None) is kept


@pytest.mark.parametrize("path", ["/", "/c/1?code=123456", "/sign-in", "/a?next=%2Fb", "/" + "a" * 499])
def test_a_path_of_ours_is_where_signing_in_may_lead(path: str) -> None:
    """The scanned page comes back after signing in."""
    assert rules.local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "/a\\b",
        "https://evil.example",
        "javascript:alert(1)",
        "evil",
        "/\t/evil.example",
        "/a\r\nset-cookie: a=b",
        "/ü",
        "/a b",
        "/" + "a" * 500,
    ],
)
def test_signing_in_leads_nowhere_else(path: str) -> None:
    """An open redirect would lend our name to any site."""
    assert rules.local_path(path) is None


class TestIsSameSite:
    @pytest.mark.parametrize(
        ("fetch_site", "ours"), [("same-origin", True), ("none", True), ("same-site", False), ("cross-site", False)]
    )
    def test_believes_the_browser_first(self, fetch_site: str, ours: bool) -> None:  # noqa: FBT001  A case's expectation.
        """A neighbour under the same domain is another site as well."""
        assert (
            rules.is_same_site(fetch_site=fetch_site, origin="https://console.example", hosts={"console.example"})
            is ours
        )

    @pytest.mark.parametrize(
        ("origin", "ours"),
        [
            ("http://console.example", True),
            ("http://console.example:81", False),
            ("http://evil.example", False),
            ("null", False),
            (None, False),
        ],
    )
    def test_asks_for_the_origin_over_plain_http(self, origin: str | None, ours: bool) -> None:  # noqa: FBT001  As above.
        """Browsers send no Sec-Fetch-Site there."""
        assert rules.is_same_site(fetch_site=None, origin=origin, hosts={"console.example"}) is ours


class TestStaySeconds:
    @pytest.mark.parametrize(
        ("life", "seconds"),
        [
            (timedelta(seconds=1), 1),
            (timedelta(hours=1), 3_600),
            (timedelta(hours=12), 43_200),
            (timedelta(hours=13), 43_200),
        ],
    )
    def test_is_until_the_token_expires_twelve_hours_at_most(self, life: timedelta, seconds: int) -> None:
        """A lost phone is signed in for half a day at most."""
        assert rules.stay_seconds(make_token(expires_at=NOON + life), now=NOON) == seconds

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "secret",
            "a.b.c",
            "eyJ9.bm8.c2ln",
            "e30.e30.c2ln",
            "e30.WzFd.c2ln",
            "e30.eyJleHAiOm51bGx9.c2ln",
            "e30.eyJleHAiOjFlOTk5fQ.c2ln",
            "a b.c.d; path=/",
            make_token(expires_at=NOON),
            make_token(expires_at=NOON - timedelta(days=1)),
            "a" * 3_801,
        ],
    )
    def test_is_nothing_for_what_is_no_token_now(self, token: str) -> None:
        """Garbage, tokens without an end and expired ones are told at once."""
        assert rules.stay_seconds(token, now=NOON) is None
