"""Every setting, read once from `POPCANDY_*` variables. Nothing else reads the environment."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import Hindrance


class BadSetting(Hindrance):
    """A variable has a value that it cannot have; the message names it, and never shows a secret."""


class MissingSetting(Hindrance):
    """Something needs a setting that is not there; the message names it."""


class Settings(BaseSettings):
    """How this process is told to run; each field is `POPCANDY_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="POPCANDY_", extra="ignore", frozen=True)

    environment: Literal["development", "production"] = "development"
    data: Path | None = Field(default=None, description="Folder of the embedded platform.")
    home: Path | None = Field(default=None, description="Where this account's platforms live; else the usual place.")
    database_url: SecretStr | None = Field(default=None, description="PostgreSQL server, 18 or newer; else embedded.")
    pool_size: int = Field(default=10, ge=1, le=100, description="Connections and requests at once, per service.")
    request_seconds: int = Field(default=60, ge=1, le=600, description="A request's transaction lasts no longer.")
    requests_per_minute: int = Field(default=1_200, ge=1, le=1_000_000, description="Of one caller, per web process.")
    origins: tuple[str, ...] = Field(default=(), description="Whose pages may call the APIs from a browser, as JSON.")
    worker_threads: int = Field(default=4, ge=1, le=64, description="Tasks at once, per service and process.")
    amqp_url: SecretStr | None = Field(
        default=None, description="RabbitMQ with its vhost; else the embedded transport."
    )
    amqp_management_url: SecretStr | None = Field(default=None, description="Management API, for `broker define`.")
    amqp_passwords: dict[str, SecretStr] | None = Field(
        default=None, description="Each service's password at RabbitMQ, as JSON, for `broker define`; else one user."
    )
    jwks: str | None = Field(
        default=None, description="Where the token issuer's keys are: a URL or a file; else the issuer's URL says."
    )
    issuer: str = Field(
        default="popcandy-embedded", description="The `iss` that tokens must carry; a URL is also asked for endpoints."
    )
    audience: str = Field(default="popcandy", description="The `aud` that tokens must carry.")
    client_id: str | None = Field(
        default=None,
        description="As which client a service asks for its own tokens; else popcandy-<service>.",
    )
    client_secret: SecretStr | None = Field(default=None, description="That client's secret.")
    secrets: SecretStr | None = Field(
        default=None, description="What web roles sign cursors and cookies with; commas between, the newest first."
    )
    suppression_secrets: SecretStr | None = Field(
        default=None,
        description="What erased employee numbers are hashed with, newest first; else POPCANDY_SECRETS. Old ones stay.",
    )
    certificate_keys: SecretStr | None = Field(
        default=None,
        description="What certificates are signed with: `./popcandy certificate new-key`; newest first. Old ones stay.",
    )
    retention_days: dict[str, int] | None = Field(
        default=None, description="Days for which things are kept, as JSON by name; else docs/retention.md."
    )
    api_url: str = Field(default="http://127.0.0.1:8022", description="Where the console, and services, find the APIs.")
    console_url: str = Field(default="http://127.0.0.1:8023", description="Where phones find the console's pages.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"


@cache
def settings() -> Settings:
    """Read the environment once a process. Raises BadSetting."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        raise BadSetting(f"POPCANDY_{str(wrong['loc'][0]).upper()}: {wrong['msg']}") from None


def required(value: SecretStr | None, name: str) -> str:
    """Return a setting that has to be there. Raises MissingSetting."""
    if value is None:
        raise MissingSetting(f"{name} is not set; see ./popcandy doctor")
    return value.get_secret_value()
