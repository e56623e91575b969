"""Settings: the environment, read once and by one prefix."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.settings import BadSetting, Settings, settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this machine has set."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"POPCANDY_{name.upper()}", raising=False)


def test_without_any_setting_everything_is_embedded() -> None:
    """`./popcandy up` needs nothing set."""
    found = Settings()

    assert (found.environment, found.data, found.database_url, found.amqp_url) == ("development", None, None, None)


def test_settings_carry_our_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """DATABASE_URL of another program is not ours."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    monkeypatch.setenv("DATA", "/elsewhere")
    assert (Settings().database_url, Settings().data) == (None, None)

    monkeypatch.setenv("POPCANDY_DATA", "/here")
    monkeypatch.setenv("POPCANDY_ENVIRONMENT", "production")
    assert (Settings().data, Settings().environment) == (Path("/here"), "production")


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may be logged by mistake; passwords may not."""
    monkeypatch.setenv("POPCANDY_DATABASE_URL", "postgresql://us:sesame@db/postgres")

    assert "sesame" not in repr(Settings())
    assert "sesame" not in Settings().model_dump_json()


def test_passwords_of_services_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come as one JSON object."""
    monkeypatch.setenv("POPCANDY_AMQP_PASSWORDS", '{"ledger": "sesame"}')

    assert Settings().amqp_passwords == {"ledger": SecretStr("sesame")}
    assert "sesame" not in repr(Settings())


@pytest.mark.parametrize("value", ["sesame", '{"ledger": sesame}', '["sesame"]', '{"ledger": {"sesame": 1}}'])
def test_passwords_that_cannot_be_read_are_not_shown_either(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A typing error in the JSON names the variable alone."""
    settings.cache_clear()
    monkeypatch.setenv("POPCANDY_AMQP_PASSWORDS", value)

    with pytest.raises(BadSetting, match=r"^POPCANDY_AMQP_PASSWORDS: [^\n]+$") as refusal:
        settings()
    assert "sesame" not in str(refusal.value)


def test_settings_do_not_change() -> None:
    """What the process was told at its start is what it does."""
    with pytest.raises(ValidationError):
        Settings().pool_size = 3  # type: ignore[misc]  # That is what is refused.


@pytest.mark.parametrize(
    ("name", "value"),
    [("POOL_SIZE", "0"), ("POOL_SIZE", "101"), ("POOL_SIZE", "many"), ("ENVIRONMENT", "prod"), ("LOG_LEVEL", "loud")],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The person at the keyboard reads which variable it is, in one line."""
    settings.cache_clear()
    monkeypatch.setenv(f"POPCANDY_{name}", value)

    with pytest.raises(BadSetting, match=f"^POPCANDY_{name}: [^\n]+$"):
        settings()
