"""The services' passwords: who has one, and what is seen of it."""

import pytest
from pydantic import SecretStr

from launch.broker.users import MissingPassword, fits, hash_of, require_passwords

TWO = {"users": [{"name": "popcandy-activities"}, {"name": "popcandy-ledger"}]}
SESAME = SecretStr("sesame")


def test_each_service_has_its_own() -> None:
    """By the name of the user in the vhost."""
    passwords = {"activities": SecretStr("a"), "ledger": SecretStr("l")}

    assert require_passwords(TWO, passwords, vhost="bus") == {
        "popcandy-activities": SecretStr("a"),
        "popcandy-ledger": SecretStr("l"),
    }
    assert list(require_passwords(TWO, passwords, vhost="test-1")) == [
        "test-1-popcandy-activities",
        "test-1-popcandy-ledger",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"activities": SESAME}, "no password for ledger"),
        ({"activities": SESAME, "ledger": SecretStr("")}, "no password for ledger"),
        ({}, "no password for activities"),
        ({"activities": SESAME, "ledger": SESAME, "legder": SESAME}, "legder, which is no service"),
    ],
)
def test_what_does_not_fit_the_services_is_named(given: dict[str, SecretStr], said: str) -> None:
    """A service without a password could not start; a name too many is a typing error."""
    with pytest.raises(MissingPassword, match=said) as refusal:
        require_passwords(TWO, given, vhost="bus")
    assert "sesame" not in str(refusal.value)


def test_a_hash_is_the_brokers_own() -> None:
    """The example of RabbitMQ's documentation, `passwords`: salt 908DC60A, password test12."""
    example = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"

    assert hash_of(SecretStr("test12"), bytes.fromhex("908DC60A")) == example


@pytest.mark.parametrize(
    ("password", "algorithm", "is_same"),
    [
        ("sesame", "rabbit_password_hashing_sha256", True),
        ("Sesame", "rabbit_password_hashing_sha256", False),
        ("sesame", "rabbit_password_hashing_md5", False),
    ],
)
def test_a_password_is_known_by_its_hash(password: str, algorithm: str, *, is_same: bool) -> None:
    """So that loading twice changes no user."""
    user = {"password_hash": hash_of(SESAME, b"salt"), "hashing_algorithm": algorithm}

    assert fits(SecretStr(password), user) is is_same
