from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.ledger.donations import actions
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled, Attended
from shared.roles import Role
from tests.factories.ledger import (
    FIRST_OF_JUNE,
    NINE,
    NOW,
    OTHER_PARTNER,
    PARTNER,
    make_policy_version,
    make_revised,
    make_settled,
    make_voided,
)
from tests.ledger.door import Door, csv_rows, walked


class Season:
    """What has happened in a programme of a test's own."""

    def __init__(self, database: Database, programme: UUID) -> None:
        self.database = database
        self.programme = programme
        with database.transaction() as tx:
            self.policy = make_policy_version(tx, programme_id=programme)

    def settle(self, **overrides: Any) -> AttendanceSettled:
        settled = make_settled(programme_id=self.programme, **overrides)
        self.tell(settled)
        return settled

    def tell(self, *facts: Attended) -> None:
        for fact in facts:
            with self.database.transaction() as tx:
                actions.accrue(tx, [fact], now=NOW)


@pytest.fixture
def season(database: Database, programme: UUID) -> Season:
    return Season(database, programme)


def attendances(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["attendance_id"] for item in answer.json()["items"]]


def test_a_donation_is_shown_with_all_it_follows_from(door: Door, season: Season) -> None:
    """Minutes, drops, money, and the ids that lead on."""
    settled = season.settle(service_minutes=140, matchable_minutes=125)

    [item] = door.get("/donations").json()["items"]

    assert {
        name: item[name] for name in ("version", "state", "attendance_id", "partner_id", "listing_id", "shift_id")
    } == {
        "version": 1,
        "state": "settled",
        "attendance_id": str(settled.attendance_id),
        "partner_id": str(PARTNER),
        "listing_id": str(settled.listing_id),
        "shift_id": str(settled.shift_id),
    }
    assert {name: item[name] for name in item if name.endswith("_minutes")} == {
        "recorded_minutes": 140,
        "matchable_minutes": 125,
        "below_minimum_minutes": 0,
        "above_ceiling_minutes": 0,
        "step_rounding_minutes": 5,
        "credited_minutes": 120,
    }
    assert item["amount"] == {"currency": "CNY", "fen": 20_000}
    assert (item["service_on"], item["evidence"]) == ("2022-06-01", "scanned")
    assert datetime.fromisoformat(item["started_at"]) == NINE
    assert item["policy_version_id"] == str(season.policy.id)


def test_a_donation_explains_itself(door: Door, season: Season) -> None:
    """Line by line, version by version, entry by entry."""
    settled = season.settle(minutes=125)
    season.tell(make_revised(settled, minutes=180))
    [item] = door.get("/donations").json()["items"]

    account = door.get(f"/donations/{item['id']}").json()

    assert account["donation"] == item
    assert [(line["code"], line["minutes"], line["amount"]) for line in account["explanation"]] == [
        ("recorded", 180, None),
        ("matchable", 180, None),
        ("credited", 180, None),
        ("accrued", 180, {"currency": "CNY", "fen": 30_000}),
    ]
    assert [(version["version"], version["amount"]["fen"]) for version in account["versions"]] == [
        (1, 20_000),
        (2, 30_000),
    ]
    first, reversal, second = account["entries"]
    assert [entry["kind"] for entry in account["entries"]] == ["accrual", "reversal", "accrual"]
    assert (reversal["reversal_of"], second["id"]) == (first["id"], item["entry_id"])
    assert reversal["legs"] == [
        {"line": line, "account": code, "partner_id": str(PARTNER), "amount": {"currency": "CNY", "fen": fen}}
        for line, code, fen in ((1, "5110", -20_000), (2, "2110", 20_000))
    ]


def test_a_voided_donation_explains_that_nothing_is_left(door: Door, season: Season) -> None:
    """It stays to be found, with what was taken back."""
    season.tell(make_voided(season.settle()))
    [item] = door.get("/donations").json()["items"]

    account = door.get(f"/donations/{item['id']}").json()

    assert (item["state"], item["amount"]["fen"], item["policy_version_id"]) == ("voided", 0, None)
    assert [line["code"] for line in account["explanation"]] == ["recorded", "matchable", "credited"]
    assert [entry["kind"] for entry in account["entries"]] == ["accrual", "reversal"]


def test_donations_are_found_by_what_finance_asks_for(door: Door, season: Season) -> None:
    """Each filter alone and together; the end of a period is excluded."""
    mine = season.settle()
    other = season.settle(partner_id=OTHER_PARTNER, service_on=date(2022, 6, 2), started_at=NINE + timedelta(days=1))
    named = ("partner_id", "listing_id", "shift_id", "volunteer_id", "attendance_id")

    for name in named:
        assert attendances(door.get("/donations", **{name: getattr(mine, name)})) == [str(mine.attendance_id)]
    assert attendances(door.get("/donations", service_from=date(2022, 6, 2))) == [str(other.attendance_id)]
    assert attendances(door.get("/donations", service_until=date(2022, 6, 2))) == [str(mine.attendance_id)]
    assert attendances(door.get("/donations", service_from=FIRST_OF_JUNE, service_until=FIRST_OF_JUNE)) == []
    assert attendances(door.get("/donations", partner_id=PARTNER, shift_id=other.shift_id)) == []


def test_pages_join_without_a_gap(door: Door, season: Season) -> None:
    """Each donation is on one page, a corrected one too."""
    made = [season.settle() for _ in range(5)]
    season.tell(make_revised(made[0], minutes=60))

    found = walked(door, "/donations", limit=2)

    assert [row["attendance_id"] for row in found] == [str(fact.attendance_id) for fact in made]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"partner_id": "x"}, {"service_from": "2022-13-40"}, {"partner": "x"}]
)
def test_an_unusable_question_is_refused(door: Door, query: dict[str, Any]) -> None:
    """A misspelt filter must not answer with everything."""
    answer = door.get("/donations", **query)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


class TestRowScope:
    def test_a_partner_sees_its_own_donations_only(self, door: Door, season: Season) -> None:
        """Whatever it asks for."""
        mine, other = season.settle(), season.settle(partner_id=OTHER_PARTNER)
        [theirs] = door.get("/donations", partner_id=OTHER_PARTNER).json()["items"]

        assert attendances(door.get("/donations", Role.PARTNER, acting_for=PARTNER)) == [str(mine.attendance_id)]
        assert attendances(door.get("/donations", Role.PARTNER, acting_for=PARTNER, partner_id=OTHER_PARTNER)) == []
        assert attendances(door.get("/donations", Role.PARTNER, acting_for=PARTNER, shift_id=other.shift_id)) == []
        assert door.get(f"/donations/{theirs['id']}", Role.PARTNER, acting_for=PARTNER).status_code == 404
        assert door.get("/waterfall", Role.PARTNER, acting_for=PARTNER).json()["participations"] == 1

    def test_a_donation_that_changed_partner_shows_each_its_part(self, door: Door, season: Season) -> None:
        """The new partner does not read what stood with the old one."""
        season.tell(make_revised(season.settle(), partner_id=OTHER_PARTNER))
        [item] = door.get("/donations").json()["items"]

        account = door.get(f"/donations/{item['id']}", Role.PARTNER, acting_for=OTHER_PARTNER).json()

        assert [version["version"] for version in account["versions"]] == [2]
        assert [entry["kind"] for entry in account["entries"]] == ["accrual"]
        assert door.get(f"/donations/{item['id']}", Role.PARTNER, acting_for=PARTNER).status_code == 404

    @pytest.mark.parametrize("role", [Role.FINANCE, Role.FINANCE_APPROVER, Role.AUDITOR, Role.OPERATOR])
    def test_staff_see_the_programme_and_no_other(self, door: Door, season: Season, role: Role) -> None:
        """Programmes are strictly apart."""
        season.settle()
        [item] = door.get("/donations", role).json()["items"]
        elsewhere = Door(door.client, door.issuer, uuid4())

        assert elsewhere.get("/donations", role).json()["items"] == []
        assert elsewhere.get(f"/donations/{item['id']}", role).status_code == 404
        assert elsewhere.get("/waterfall", role).json()["participations"] == 0

    @pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.REVIEWER, Role.FUNDER, Role.OPS, Role.ADMIN])
    def test_others_do_not_see_donations(self, door: Door, role: Role) -> None:
        """Not even the list's emptiness."""
        for path in ("/donations", f"/donations/{uuid4()}"):
            assert door.get(path, role).json()["code"] == "missing_permission"

    def test_nobody_sees_anything_unknown(self, door: Door) -> None:
        """Without a token there is no answer."""
        assert door.client.get("/api/ledger/waterfall").status_code == 401


class TestWaterfall:
    def test_adds_up_to_the_minute_and_the_fen(self, door: Door, season: Season) -> None:
        """Recorded less every drop is credited, and the money is what the donations are."""
        season.settle(service_minutes=140, matchable_minutes=125)
        season.settle(minutes=20, partner_id=OTHER_PARTNER)
        season.settle(service_minutes=600, matchable_minutes=500)
        season.tell(make_voided(season.settle(partner_id=uuid4())))
        season.tell(make_revised(season.settle(minutes=60), minutes=95))

        answer = door.get("/waterfall", Role.FUNDER).json()

        assert answer == {
            "participations": 4,
            "partners": 2,
            "recorded_minutes": 855,
            "matchable_minutes": 740,
            "credited_minutes": 690,
            "accrued": {"currency": "CNY", "fen": 115_000},
            "drops": [
                {
                    "code": "not_matchable",
                    "after": "recorded",
                    "zh": "不可配捐的时长",
                    "en": "Not matchable",
                    "minutes": 115,
                },
                {
                    "code": "below_minimum",
                    "after": "matchable",
                    "zh": "不足最低时长",
                    "en": "Below the minimum",
                    "minutes": 20,
                },
                {
                    "code": "above_ceiling",
                    "after": "matchable",
                    "zh": "超出最高时长",
                    "en": "Above the ceiling",
                    "minutes": 20,
                },
                {
                    "code": "step_rounding",
                    "after": "matchable",
                    "zh": "不足一个计时单位",
                    "en": "Less than a whole step",
                    "minutes": 10,
                },
            ],
        }
        assert (
            answer["recorded_minutes"] - sum(drop["minutes"] for drop in answer["drops"]) == answer["credited_minutes"]
        )
        total = sum(item["amount"]["fen"] for item in door.get("/donations").json()["items"])
        assert door.get("/balances", account="2110").json()["items"][0]["balance"]["fen"] == -total == -115_000

    def test_is_asked_for_a_partner_a_listing_a_period(self, door: Door, season: Season) -> None:
        """A partner's month, an activity, a season."""
        mine = season.settle()
        season.settle(partner_id=OTHER_PARTNER, service_on=date(2022, 7, 1))

        for query in ({"partner_id": PARTNER}, {"listing_id": mine.listing_id}, {"service_until": date(2022, 7, 1)}):
            assert door.get("/waterfall", **query).json()["recorded_minutes"] == 120
        assert door.get("/waterfall", service_from=date(2022, 7, 2)).json()["accrued"]["fen"] == 0


def test_donations_are_a_file_for_finance(door: Door, season: Season) -> None:
    """Yuan with two decimals that add up to the fen, and minutes as numbers; a partner's file has its own rows."""
    mine = season.settle(minutes=119)
    other = season.settle(partner_id=OTHER_PARTNER)

    rows = csv_rows(door.get("/donations", Role.FINANCE, format="csv", sort="amount"))
    own = csv_rows(door.get("/donations", Role.PARTNER, acting_for=OTHER_PARTNER, format="csv"))

    assert [(row["Attendance id"], row["Amount (CNY)"], row["Credited minutes"]) for row in rows] == [
        (str(mine.attendance_id), "150.00", "90"),
        (str(other.attendance_id), "200.00", "120"),
    ]
    assert [row["Attendance id"] for row in own] == [str(other.attendance_id)]


class TestOwnDonations:
    def test_a_person_takes_out_what_their_hours_made(self, door: Door, season: Season) -> None:
        """Every version, with what each field is; nobody else's."""
        person = uuid4()
        settled = season.settle(volunteer_id=person, minutes=125)
        season.tell(make_revised(settled, minutes=180))
        season.settle()

        answer = door.get("/people/me/data", Role.VOLUNTEER, person_id=person)

        assert answer.status_code == 200
        data = answer.json()
        versions = [(each["version"], each["fen"], each["credited_minutes"]) for each in data["donations"]]
        assert versions == [(1, 20_000, 120), (2, 30_000, 180)]
        assert {each["attendance_id"] for each in data["donations"]} == {str(settled.attendance_id)}
        for name in data["donations"][0]:
            assert all(data["fields"][f"donations.{name}"].values())

    def test_not_in_another_programme_nor_as_somebody_else(self, door: Door, season: Season) -> None:
        """An empty account is no error: a person without hours has made no donation."""
        person = uuid4()
        season.settle(volunteer_id=person)
        elsewhere = Door(door.client, door.issuer, uuid4())
        for caller, who in ((door, uuid4()), (elsewhere, person)):
            assert caller.get("/people/me/data", Role.VOLUNTEER, person_id=who).json()["donations"] == []
        for role in set(Role) - {Role.VOLUNTEER}:
            assert door.get("/people/me/data", role, person_id=person).status_code == 403
