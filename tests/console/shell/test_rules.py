import re

import pytest

from services.console.shell import rules


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


def test_an_origin_is_an_address_without_its_path() -> None:
    """As `form-action` takes it."""
    assert rules.origin_of("https://id.example:8443/realms/a?b") == "https://id.example:8443"


class TestKeyOf:
    def test_is_the_same_for_the_same_form_alone(self) -> None:
        """Two taps are one call; another code typed after going back, or the other door, is another."""
        once, other = "6f0c2a4e-1b7d-4c57-9a53-2f1f0f4f7a11", "6f0c2a4e-1b7d-4c57-9a53-2f1f0f4f7a12"
        calls = [
            (once, "/in", {"code": "123456"}),
            (once, "/in", {"code": "123457"}),
            (once, "/out", {"code": "123456"}),
            (other, "/in", {"code": "123456"}),
            (once, "/in", {}),
        ]
        first, again = ([rules.key_of(drawn, path=path, body=body) for drawn, path, body in calls] for _ in range(2))

        assert first == again
        assert len(set(first)) == len(calls)
        assert all(key is not None and re.fullmatch(r"[!-~]{8,200}", key) for key in first)  # As APIs take it.

    @pytest.mark.parametrize("once", ["", "1", "x" * 36, "6f0c2a4e-1b7d-4c57-9a53-2f1f0f4f7a1g", "数" * 36])
    def test_is_nothing_without_a_number_of_ours(self, once: str) -> None:
        """What a browser sends is no header of ours."""
        assert rules.key_of(once, path="/", body={}) is None
