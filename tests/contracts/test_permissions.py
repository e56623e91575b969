"""What a service may do at a real RabbitMQ, as its own user, and what is noticed when that changes."""

import contextlib
import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from launch.broker import BrokerRefused, define, missing
from launch.broker.management import Management
from launch.broker.users import MissingPassword
from launch.services import SERVICES
from shared.bus.topology import Topology, tasks_vhost_of, user_of
from shared.bus.transport import Forbidden, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.bus.transport.rabbit.connection import Hosts, Wire
from tests.servers.rabbitmq import Broker, own_users, url_as
from tests.shared.bus.transport.letters import CONFIRMED, INBOX, ids, make_letter, receive
from tests.waiting import until


@dataclass(frozen=True)
class Loaded:
    """A vhost with the topology and its users."""

    broker: Broker
    vhost: str
    passwords: dict[str, SecretStr]

    def url(self, service: str, *, vhost: str | None = None) -> str:
        """Name the broker as a service sees it."""
        return url_as(self.broker, self.vhost, service, self.passwords[service], to=vhost)

    def change(self, method: str, path: str, body: object = None) -> None:
        """Tamper with it; `{vhost}` in the path is ours."""
        url = f"{self.broker.management_url}/api/{path.format(vhost=self.vhost)}"
        httpx2.request(method, url, json=body, trust_env=False).raise_for_status()

    def define(self) -> list[str]:
        return define(self.broker.management_url, vhost=self.vhost, passwords=self.passwords)

    def missing(self) -> list[str]:
        return missing(self.broker.management_url, vhost=self.vhost)


@pytest.fixture
def loaded(rabbitmq: Broker) -> Iterator[Loaded]:
    """Load everything, with passwords that need quoting nowhere."""
    passwords = {service.name: SecretStr(secrets.token_hex(8)) for service in SERVICES}
    with own_users(rabbitmq, passwords) as vhost:
        yield Loaded(rabbitmq, vhost, passwords)


@pytest.fixture
def as_service(loaded: Loaded) -> Iterator[Callable[[str], RabbitTransport]]:
    """Return what connects as a service's own user."""
    with contextlib.ExitStack() as opened:
        yield lambda service: opened.enter_context(contextlib.closing(RabbitTransport(loaded.url(service))))


AsService = Callable[[str], RabbitTransport]


class TestRights:
    def test_a_service_tells_its_own_and_hears_its_own(self, as_service: AsService) -> None:
        """Everything that it needs, with the rights of its own user alone."""
        activities, ledger = as_service("activities"), as_service("ledger")
        heard, unheard = make_letter(), make_letter(routing_key="activities.nobody.cares")

        for transport, service in ((activities, "activities"), (ledger, "ledger")):
            transport.check(Topology.queues_of(service))
        assert activities.publish([heard, unheard]) == {heard.id: CONFIRMED, unheard.id: CONFIRMED}

        assert ids(receive(ledger.subscribe(INBOX, batch=1), 1)) == [heard.id]
        assert ids(receive(activities.subscribe("activities.unrouted", batch=1), 1)) == [unheard.id]
        assert ledger.subscribe("ledger.inbox.dead", batch=1).fetch(timeout=0) == []

    @pytest.mark.parametrize("key", ["activities.attendance.settled", "ledgers.x", "ledger", "x", ""])
    def test_a_forged_event_is_refused(self, as_service: AsService, key: str) -> None:
        """The ledger cannot say that somebody served."""
        with pytest.raises(Forbidden, match=r"ACCESS_REFUSED.*topic"):
            as_service("ledger").publish([make_letter(routing_key=key)])

        own = make_letter(routing_key="ledger.nobody.cares")
        assert as_service("ledger").publish([own]) == {own.id: CONFIRMED}
        assert as_service("ledger").stats(INBOX).ready == 0

    @pytest.mark.parametrize("queue", ["ledger.inbox", "ledger.inbox.dead", "ledger.unrouted", "events.unrouted"])
    def test_another_services_queue_is_closed(self, as_service: AsService, queue: str) -> None:
        """To read is to take away."""
        with pytest.raises(Forbidden, match=rf"ACCESS_REFUSED.*'{queue}'"):
            as_service("activities").subscribe(queue, batch=1).fetch(timeout=5)

    @pytest.mark.parametrize(
        ("attempt", "refused"),
        [
            (lambda wire: wire.channel.basic_publish("", "ledger.inbox", b"forged"), "amq.default"),
            (lambda wire: wire.channel.basic_publish("events.dead", "ledger.inbox", b"forged"), "events.dead"),
            (lambda wire: wire.channel.basic_publish("events.unrouted", "ledger.x", b"forged"), "events.unrouted"),
            (lambda wire: wire.channel.queue_declare("activities.more", durable=True), "activities.more"),
            (lambda wire: wire.channel.queue_delete("activities.unrouted"), "activities.unrouted"),
            (lambda wire: wire.channel.queue_purge("ledger.inbox"), "ledger.inbox"),
            (lambda wire: wire.channel.queue_bind("activities.inbox", "events", "ledger.#"), "activities.inbox"),
        ],
        ids=["default exchange", "dead exchange", "unrouted exchange", "declare", "delete", "purge", "bind"],
    )
    def test_there_is_no_way_around(self, loaded: Loaded, attempt: Callable[[Wire], None], refused: str) -> None:
        """No exchange but `events`, and nothing is declared, deleted, emptied or bound."""
        hosts = Hosts(loaded.url("activities"))
        wire = hosts.connect(prepare=Wire.opened, on_lost=lambda _wire: None)
        with contextlib.closing(wire):
            wire.call(lambda: attempt(wire))

            until(lambda: wire.lost is not None, timeout=10, missing="a refusal")

            assert "403" in repr(wire.lost)
            assert f"'{refused}'" in repr(wire.lost)

    def test_tasks_of_another_service_are_closed(self, loaded: Loaded) -> None:
        """In its own vhost a service may do everything, in another's nothing, not even look."""
        own, others = (tasks_vhost_of(loaded.vhost, service) for service in ("ledger", "activities"))

        def declare(wire: Wire) -> None:
            wire.channel.queue_declare("mail", durable=True, callback=lambda _frame: wire.opened())

        with contextlib.closing(Hosts(loaded.url("ledger", vhost=own)).connect(prepare=declare, on_lost=print)) as wire:
            assert wire.lost is None
        with pytest.raises(TransportDown, match=r"530.*NOT_ALLOWED.*tasks-activities"):
            Hosts(loaded.url("ledger", vhost=others)).connect(prepare=declare, on_lost=lambda _wire: None)


class TestUsers:
    def test_loading_twice_changes_nothing(self, loaded: Loaded) -> None:
        """Not even the salt of a password; and nothing is missing then."""
        before = self._users(loaded)

        assert loaded.define() == loaded.define()

        assert self._users(loaded) == before
        assert len(before) == len(SERVICES)
        assert loaded.missing() == []

    def test_a_new_password_replaces_the_old(self, loaded: Loaded) -> None:
        """And takes away what else the user was made to be."""
        user = user_of(loaded.vhost, "ledger")
        loaded.change("PUT", f"users/{user}", {"password": "stolen", "tags": "administrator"})
        assert any("administrator" in difference for difference in loaded.missing())

        loaded.define()

        assert loaded.missing() == []
        with contextlib.closing(RabbitTransport(loaded.url("ledger"))) as ledger:
            ledger.check([INBOX])

    def test_a_service_without_a_password_is_named_before_anything_is_made(self, rabbitmq: Broker) -> None:
        """Half of the users is worse than none."""
        vhost = f"test-{uuid.uuid4().hex}"

        with pytest.raises(MissingPassword, match="ledger"):
            define(rabbitmq.management_url, vhost=vhost, passwords={"activities": SecretStr("sesame")})

        assert f"vhost {vhost} is missing" in missing(rabbitmq.management_url, vhost=vhost)

    def test_a_service_cannot_sign_in_at_the_management_api(self, loaded: Loaded) -> None:
        """Nor make users with it; and the refusal shows no password."""
        url = urlsplit(loaded.broker.management_url)
        password = loaded.passwords["ledger"].get_secret_value()
        as_ledger = url._replace(netloc=f"{user_of(loaded.vhost, 'ledger')}:{password}@{url.hostname}:{url.port}")

        with pytest.raises(BrokerRefused, match="was refused with 401") as refusal:
            define(as_ledger.geturl(), vhost=loaded.vhost, passwords=loaded.passwords)

        assert password not in str(refusal.value)

    def test_a_refused_user_is_said_without_the_brokers_words(self, rabbitmq: Broker) -> None:
        """It would repeat the hash that it does not like."""
        with Management(rabbitmq.management_url) as management, pytest.raises(BrokerRefused) as refusal:
            management.send("PUT", "/api/users/nobody", {"password_hash": "sesame", "tags": ""})

        assert str(refusal.value) == "PUT /api/users/nobody was refused with 400"

    def _users(self, loaded: Loaded) -> list[object]:
        names = [quote(user_of(loaded.vhost, service.name)) for service in SERVICES]
        urls = [f"{loaded.broker.management_url}/api/users/{name}" for name in names]
        return [httpx2.get(url, trust_env=False).raise_for_status().json() for url in urls]


DEAD_BINDING = "bindings/{vhost}/e/events.dead/q/ledger.inbox.dead/ledger.inbox"
WIDE = {"configure": ".*", "write": ".*", "read": ".*"}
HIDING = {"pattern": "inbox", "apply-to": "queues", "priority": 99, "definition": {"max-length": 1}}


class TestTampering:
    @pytest.mark.parametrize(
        ("method", "path", "body", "said"),
        [
            ("DELETE", DEAD_BINDING, None, "binding events.dead → queue ledger.inbox.dead by 'ledger.inbox' is miss"),
            ("DELETE", "queues/{vhost}/activities.unrouted", None, "queue activities.unrouted is missing"),
            ("DELETE", "exchanges/{vhost}/events.foreign", None, "exchange events.foreign is missing"),
            ("DELETE", "policies/{vhost}/ledger.inbox", None, "policy ledger.inbox is missing"),
            ("DELETE", "topic-permissions/{vhost}/{vhost}-popcandy-ledger", None, "topic permission of "),
            ("DELETE", "users/{vhost}-popcandy-activities", None, "popcandy-activities is missing"),
            ("DELETE", "vhosts/{vhost}-tasks-ledger", None, "tasks-ledger is missing"),
            ("PUT", "permissions/{vhost}/{vhost}-popcandy-ledger", WIDE, "has configure '.*', not '^$': load again"),
            ("PUT", "permissions/{vhost}-tasks-ledger/{vhost}-popcandy-activities", WIDE, "is not in the file"),
            ("POST", "bindings/{vhost}/e/events/q/ledger.inbox", {"routing_key": "#"}, "by '#' is not in the file"),
            ("PUT", "policies/{vhost}/hiding", HIDING, "queue ledger.inbox is under policy hiding, not ledger.inbox"),
        ],
    )
    def test_what_is_gone_or_too_much_is_named(
        self, loaded: Loaded, method: str, path: str, body: object, said: str
    ) -> None:
        """Among them the target of dead letters, without which they are nowhere to be seen (PITFALLS R5, F19)."""
        assert loaded.missing() == []

        loaded.change(method, path, body)

        assert any(said in difference for difference in loaded.missing())

    def test_half_of_a_topology_is_completed(self, loaded: Loaded) -> None:
        """What a failed import left behind is in nobody's way."""
        for path in (DEAD_BINDING, "queues/{vhost}/ledger.unrouted", "policies/{vhost}/kept-aside"):
            loaded.change("DELETE", path)
        assert loaded.missing()

        loaded.define()

        assert loaded.missing() == []

    def test_dead_letters_come_after_the_repair(self, loaded: Loaded, as_service: AsService) -> None:
        """F19: while their target was gone they were kept; nothing is lost."""
        loaded.change("DELETE", DEAD_BINDING)
        loaded.change("PUT", "policies/{vhost}/ledger.inbox", self._policy_with_limit_1())
        letter = make_letter()
        as_service("activities").publish([letter])
        for _ in range(2):
            inbox = as_service("ledger").subscribe(INBOX, batch=1)
            assert ids(receive(inbox, 1)) == [letter.id]
            inbox.close()
        assert as_service("ledger").stats("ledger.inbox.dead").ready == 0
        assert any("events.dead → queue ledger.inbox.dead" in difference for difference in loaded.missing())

        loaded.define()

        (dead,) = receive(as_service("ledger").subscribe("ledger.inbox.dead", batch=1), 1, timeout=200)
        assert dead.headers["ce-id"] == str(letter.id)

    def _policy_with_limit_1(self) -> dict[str, object]:
        definition = {
            "dead-letter-exchange": "events.dead",
            "dead-letter-routing-key": "ledger.inbox",
            "dead-letter-strategy": "at-least-once",
            "delivery-limit": 1,
            "overflow": "reject-publish",
        }
        return {"pattern": r"^ledger\.inbox$", "apply-to": "queues", "priority": 10, "definition": definition}


def test_without_passwords_no_user_is_made_nor_missed(rabbitmq: Broker) -> None:
    """Development runs as the broker's one user."""
    with own_users(rabbitmq, None) as vhost:
        assert missing(rabbitmq.management_url, vhost=vhost) == []
        answer = httpx2.get(f"{rabbitmq.management_url}/api/users/{user_of(vhost, 'ledger')}", trust_env=False)
        assert answer.status_code == 404
