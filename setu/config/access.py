"""`[auth]`, `[[policy]]`, `[cors]` and `[audit]`: who may come in, what they may do, and what is written down of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from setu.access.decide import Rule, Rules
from setu.access.entrance import Mode
from setu.config.section import Section
from setu.config.units import Seconds
from setu.config.usage import normal_url

LOCAL = "local"


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Globs = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Patterns, of which one alone may be written without a list."""


class Auth(Section):
    """Who may use the gateway."""

    mode: Mode = Field(
        "open",
        description="open (or none): nobody is asked; keys: only keys of this gateway count; passthrough: clients "
        "bring a provider's key, which goes to the provider they name; hybrid: either.",
    )
    keys: tuple[SecretStr, ...] = Field((), description="The keys that let a client in; `${NAME}` reads a variable.")
    admin_keys: tuple[SecretStr, ...] = Field((), description="The keys that also open the endpoints under /admin.")
    key_store: SecretStr | None = Field(
        None,
        description="Where `setu keys` keeps virtual keys: `local` (a file in the user's data folder), the path of a "
        "file, or a database, `sqlite:///FILE` or `postgresql://…`.",
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _known_as(cls, value: Any) -> Any:
        return "open" if value == "none" else value

    @field_validator("key_store")
    @classmethod
    def _is_a_place(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "://" in value.get_secret_value():
            normal_url(value.get_secret_value())
        return value

    @model_validator(mode="before")
    @classmethod
    def _goes_together(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        mode = value.get("mode", "none")
        keys = [key for key in _several(value.get("keys")) if _text(key)]
        if mode in {"keys", "hybrid"} and not keys and not value.get("key_store"):
            raise ValueError(f"auth.mode is {mode}, but there are no auth.keys and no auth.key_store")
        if mode in {"none", "open", "passthrough"} and keys:
            raise ValueError(f"there are auth.keys, but auth.mode is {mode}: nobody would be asked for them")
        return value


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _text(key: Any) -> Any:
    return key.get_secret_value() if isinstance(key, SecretStr) else key


class PolicyRule(Section):
    """One rule; it fits when all that it names fits. The first rule that fits decides."""

    effect: Literal["allow", "deny"] = Field(description="What becomes of a request that the rule fits.")
    reason: str = Field("", description="Why; a client that is denied is told so.")
    tenant: Globs = Field((), description="Tenants: a pattern, or a list of them, as in all that follow.")
    key: Globs = Field((), description="Ids of virtual keys.")
    model: Globs = Field((), description="Models, also as provider/model, or aliases.")
    provider: Globs = Field((), description="Providers.")
    region: Globs = Field((), description="Regions of providers.")
    tool: Globs = Field((), description="Tools that the model is given; one is enough to be denied, all to be allowed.")
    modality: Globs = Field((), description="Kinds of content: text, image, audio, video, document.")

    def rule(self) -> Rule:
        """Return it as the value that decisions are made with."""
        return Rule(
            effect=self.effect,
            reason=self.reason,
            tenants=self.tenant,
            keys=self.key,
            models=self.model,
            providers=self.provider,
            regions=self.region,
            tools=self.tool,
            modalities=self.modality,
        )


class Cors(Section):
    """Which pages of other sites a browser lets use the gateway; none by default."""

    allow_origins: Globs = Field((), description="Origins such as https://app.example.com; `*` for any.")
    allow_methods: Globs = Field(
        ("GET", "POST", "PUT", "PATCH", "DELETE"), description="Methods that they may use; `*` for any."
    )
    allow_headers: Globs = Field(("*",), description="Fields that they may send; `*` for any.")
    expose_headers: Globs = Field(
        ("x-request-id", "request-id", "retry-after", "x-ratelimit-*", "x-setu-*"),
        description="Fields of answers that they may read; patterns.",
    )
    allow_credentials: bool = Field(False, description="Whether their browser may send cookies; never for `*`.")
    max_age: Annotated[Seconds, Field(le=86400)] = Field(300, description="Seconds for which a browser may remember.")
    allow_private_network: bool = Field(
        False, description="Whether pages of the public web may call a gateway on the user's own machine or network."
    )

    @field_validator("allow_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            plain = parts.scheme and parts.netloc and origin == f"{parts.scheme}://{parts.netloc}"
            if origin != "*" and not plain:
                raise ValueError(f"{origin!r} must be an origin, such as https://app.example.com, without a path")
        return value

    @model_validator(mode="after")
    def _names_who_may_send_cookies(self) -> "Cors":
        if self.allow_credentials and "*" in self.allow_origins:
            raise ValueError("cors.allow_credentials needs origins by name: with * any page could use a user's cookies")
        return self

    def options(self) -> dict[str, Any]:
        """Return what `setu.server.cors.with_cors` takes."""
        return self.model_dump() | {"max_age": int(self.max_age)}


class Audit(Section):
    """What is written down of who was refused, and of changes."""

    enabled: bool = Field(True, description="Whether it is.")
    file: Path | None = Field(None, description="The log; by default audit.log in the user's data folder.")
    failures_per_minute: int = Field(
        20, gt=0, description="Refused keys a minute that are written one by one; of more only the number."
    )


def rules_of(policy: Sequence[PolicyRule]) -> Rules:
    """Return the rules in their order."""
    return Rules(tuple(each.rule() for each in policy))


def key_place(section: Auth) -> str | None:
    """Return where virtual keys are kept: a path, or a database's URL; None when nowhere."""
    said = section.key_store.get_secret_value() if section.key_store is not None else ""
    return place_of(said) if said else None


def place_of(said: str) -> str:
    """Return the path or the URL that a text stands for.

    Raises:
        ValueError: the URL of something that is no database for keys.
    """
    if said == LOCAL:
        return str(_data_folder() / "keys.json")
    return normal_url(said) if "://" in said else said


def audit_file(section: Audit) -> Path | None:
    """Return the audit log's file; None when nothing is to be written."""
    if not section.enabled:
        return None
    return section.file or _data_folder() / "audit.log"


def secrets_of(keys: Sequence[SecretStr]) -> list[str]:
    """Return the keys themselves; one whose variable is empty lets nobody in."""
    return [text for key in keys if (text := key.get_secret_value())]


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("setu", appauthor=False)
