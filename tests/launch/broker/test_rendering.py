"""The topology file as each version of RabbitMQ can load it. What 3.10 accepts is tried on a real one elsewhere."""

from typing import Any

import orjson
import pytest

from launch.broker.rendering import UnfitBroker, Version, moved, render, require_passive_checks, version_of
from shared.bus.topology import BUS, DEFINITIONS, tasks_vhost_of, user_of

FILE: dict[str, Any] = orjson.loads(DEFINITIONS.read_bytes())


def policies(version: Version) -> list[dict[str, Any]]:
    return list(render(FILE, version)["policies"])


def kept_aside(version: Version) -> list[dict[str, Any]]:
    return [queue for queue in render(FILE, version)["queues"] if not queue["name"].endswith(".inbox")]


@pytest.mark.parametrize("version", [(3, 10, 8), (3, 11, 28)])
def test_before_3_12_policies_know_neither_queue_types_nor_time_outs(version: Version) -> None:
    """They would be refused, and leave half of the file behind."""
    for policy in policies(version):
        assert policy["apply-to"] == "queues"
        assert "consumer-timeout" not in policy["definition"]
        assert policy["definition"]["overflow"] == "reject-publish"


@pytest.mark.parametrize("version", [(3, 12, 0), (3, 13, 7), (4, 0, 5), (4, 1, 0), (4, 3, 2)])
def test_from_3_12_on_they_do(version: Version) -> None:
    """An inbox whose consumer hangs is given to the next, whatever the broker's own time-out says."""
    for policy in policies(version):
        assert policy["apply-to"] == "quorum_queues"
        assert policy["definition"]["consumer-timeout"] == 30 * 60 * 1000


@pytest.mark.parametrize("version", [(3, 10, 8), (3, 13, 7)])
def test_before_4_0_no_queue_says_a_limit(version: Version) -> None:
    """There is none to lift, and -1 would mean 0."""
    assert [queue["arguments"] for queue in kept_aside(version)] == [{"x-queue-type": "quorum"}] * 5


@pytest.mark.parametrize("version", [(4, 0, 1), (4, 1, 4), (4, 3, 2)])
def test_from_4_0_on_looking_at_what_is_kept_aside_loses_nothing(version: Version) -> None:
    """The limit is lifted by the queue's own argument, for a policy cannot; inboxes keep theirs."""
    assert len(kept_aside(version)) == 5
    for queue in kept_aside(version):
        assert queue["arguments"]["x-delivery-limit"] == -1
    for policy in policies(version):
        assert policy["definition"].get("delivery-limit") == (None if policy["name"] == "kept-aside" else 20)


@pytest.mark.parametrize("version", [(3, 10, 8), (3, 13, 7), (4, 0, 5), (4, 1, 0)])
def test_nothing_else_depends_on_the_version(version: Version) -> None:
    """And the file as it was read stays as it is."""
    before = orjson.dumps(FILE)
    rendered = render(FILE, version)

    assert orjson.dumps(FILE) == before
    assert {kind: things for kind, things in rendered.items() if kind not in {"queues", "policies"}} == {
        kind: things for kind, things in FILE.items() if kind not in {"queues", "policies"}
    }
    assert [queue["name"] for queue in rendered["queues"]] == [queue["name"] for queue in FILE["queues"]]


def test_the_newest_loads_the_file_as_it_is() -> None:
    """The file is written for it."""
    assert render(FILE, (4, 3, 2)) == FILE


@pytest.mark.parametrize("version", [(3, 9, 29), (2, 8, 7)])
def test_an_old_broker_is_refused(version: Version) -> None:
    """It would drop dead letters, or know no quorum queues at all."""
    with pytest.raises(UnfitBroker, match=r"too old: Popcandy needs 3\.10"):
        render(FILE, version)


@pytest.mark.parametrize("version", [(4, 2, 6), (4, 3, 0)])
def test_users_that_could_not_check_are_refused(version: Version) -> None:
    """They would be made, and no service would start."""
    with pytest.raises(UnfitBroker, match=r"use 4\.2\.7, 4\.3\.1"):
        require_passive_checks(version)
    render(FILE, version)


@pytest.mark.parametrize("version", [(3, 10, 8), (4, 2, 5), (4, 2, 7), (4, 3, 1)])
def test_users_that_can_check_are_made(version: Version) -> None:
    """Two releases alone were otherwise."""
    require_passive_checks(version)


@pytest.mark.parametrize(
    ("text", "version"), [("3.10.8", (3, 10, 8)), ("4.1.0-rc.1", (4, 1, 0)), ("4.2.1+12.gabc", (4, 2, 1))]
)
def test_a_version_is_read(text: str, version: Version) -> None:
    """Release candidates and builds from source have more behind it."""
    assert version_of(text) == version


def test_a_version_that_is_none_is_said() -> None:
    """A proxy may answer in the broker's place."""
    with pytest.raises(UnfitBroker, match="'unknown'"):
        version_of("unknown")


def test_in_another_vhost_everything_is_beside_it() -> None:
    """Nothing of the real vhosts and users is touched by a test."""
    names = moved(FILE, "elsewhere")

    assert [one["name"] for one in names["vhosts"]] == [
        "elsewhere", tasks_vhost_of("elsewhere", "activities"), tasks_vhost_of("elsewhere", "ledger"),
    ]  # fmt: skip
    assert [one["name"] for one in names["users"]] == [user_of("elsewhere", one) for one in ("activities", "ledger")]
    assert {one["user"] for one in names["permissions"]} == {one["name"] for one in names["users"]}
    assert {one["vhost"] for kind in names for one in names[kind] if "vhost" in one} == {
        one["name"] for one in names["vhosts"]
    }
    assert moved(FILE, BUS) == FILE
