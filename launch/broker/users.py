"""The services' users: their passwords come from a setting, and leave this process as salted hashes only."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from urllib.parse import quote

from pydantic import SecretStr

from launch.broker.management import Management
from launch.broker.rendering import Definitions
from shared.bus.topology import BUS, user_of
from shared.errors import Hindrance

_SETTING = "POPCANDY_AMQP_PASSWORDS"
_ALGORITHM = "rabbit_password_hashing_sha256"
_SALT_BYTES = 4  # RabbitMQ's own.


class MissingPassword(Hindrance):
    """The setting with the services' passwords does not fit the services; the message names the service."""


def require_passwords(
    definitions: Definitions, passwords: Mapping[str, SecretStr], *, vhost: str
) -> dict[str, SecretStr]:
    """Return the password of each user in the file, by the user's name in `vhost`. Raises MissingPassword."""
    services = [user["name"].removeprefix(user_of(BUS, "")) for user in definitions["users"]]
    for service in services:
        if service not in passwords or not passwords[service].get_secret_value():
            raise MissingPassword(f"{_SETTING} has no password for {service}")
    for stranger in sorted(passwords.keys() - set(services)):
        raise MissingPassword(f"{_SETTING} names {stranger}, which is no service")
    return {user_of(vhost, service): passwords[service] for service in services}


def put_users(management: Management, accounts: Mapping[str, SecretStr]) -> None:
    """Make the users, or give them their passwords; one that has its password is left alone. Raises BrokerRefused."""
    for name, password in accounts.items():
        path = f"/api/users/{quote(name, safe='')}"
        found = management.find(path)
        if found is None or found["tags"] or not fits(password, found):
            salted = hash_of(password, secrets.token_bytes(_SALT_BYTES))
            management.send("PUT", path, {"password_hash": salted, "hashing_algorithm": _ALGORITHM, "tags": ""})


def hash_of(password: SecretStr, salt: bytes) -> str:
    """Hash a password as RabbitMQ does."""
    digest = hashlib.sha256(salt + password.get_secret_value().encode()).digest()
    return b64encode(salt + digest).decode()


def fits(password: SecretStr, user: Definitions) -> bool:
    """Say whether a user, as the management API describes it, has this password."""
    salt = b64decode(user["password_hash"])[:_SALT_BYTES]
    return user["hashing_algorithm"] == _ALGORITHM and hmac.compare_digest(
        hash_of(password, salt), user["password_hash"]
    )
