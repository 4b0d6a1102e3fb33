"""`[usage]` and `[prices]`: where what was used is written down, and what it costs."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from setu.config.section import Section
from setu.errors import ConfigError
from setu.routing.plan import Price

LEGACY_PROFILE = "ai-gateway"
"""The predecessor that named its database by `DATABASE_URL`."""

_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
}


class Usage(Section):
    """What was asked, by whom, and what it cost: one row a request."""

    enabled: bool = Field(True, description="Whether requests are written down.")
    database_url: SecretStr | None = Field(
        None,
        description="`sqlite:///FILE` or `postgresql://…`; by default a file `usage.db` in the user's data folder.",
    )
    keep_days: int | None = Field(None, gt=0, description="Days after which a row is deleted; by default never.")
    spill_dir: Path | None = Field(
        None, description="Folder where rows wait while the database cannot be written; by default a folder beside it."
    )

    @field_validator("database_url")
    @classmethod
    def _is_known(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value():
            normal_url(value.get_secret_value())
        return value


class ModelPrice(Section):
    """What a model costs, in USD per million tokens: it wins over the prices that come with Setu."""

    input_per_1m: float = Field(ge=0, allow_inf_nan=False, description="A million prompt tokens.")
    output_per_1m: float = Field(ge=0, allow_inf_nan=False, description="A million answer tokens.")
    cached_per_1m: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="A million read from a prompt cache."
    )
    cache_write_per_1m: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="A million written to a prompt cache."
    )

    def price(self) -> Price:
        """Return it in nano-USD a token: a USD per million tokens is 1000 of them."""
        return Price(
            input=self.input_per_1m * 1000,
            output=self.output_per_1m * 1000,
            cache_read=_nano(self.cached_per_1m),
            cache_write=_nano(self.cache_write_per_1m),
        )


def prices_of(section: Mapping[str, ModelPrice]) -> dict[str, Price]:
    """Return the configured prices by `model`, `provider/model` or a pattern of either."""
    return {name: price.price() for name, price in section.items()}


def normal_url(url: str) -> str:
    """Return a database URL with the driver that is used; the text of the error never shows the URL.

    Raises:
        ValueError: neither SQLite nor PostgreSQL.
    """
    scheme, separator, rest = url.partition("://")
    driver = _DRIVERS.get(scheme)
    if driver is None or not separator:
        raise ValueError("must start with sqlite:/// or postgresql://")
    if driver == "sqlite" and (not rest.startswith("/") or len(rest) < 2 or rest == "/:memory:"):
        raise ValueError("must name a file: sqlite:///usage.db, or sqlite:////var/lib/setu/usage.db")
    return f"{driver}://{rest}"


def database_url(section: Usage, environ: Mapping[str, str], *, legacy: bool = False) -> str:
    """Return where rows go: as configured, then `DATABASE_URL` where the profile reads it (`legacy`), then the default.

    Raises:
        ConfigError: the variable holds something else.
    """
    said = section.database_url.get_secret_value() if section.database_url else ""
    if said:
        return normal_url(said)
    inherited = environ.get("DATABASE_URL", "") if legacy else ""
    if not inherited:
        return f"sqlite:///{_data_folder() / 'usage.db'}"
    try:
        return normal_url(inherited)
    except ValueError as error:
        raise ConfigError(f"DATABASE_URL: {error}") from None


def spill_dir(section: Usage, url: str) -> Path:
    """Return where rows wait: a folder for each database, so that none gets another's rows."""
    if section.spill_dir is not None:
        return section.spill_dir
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.hostname or ''}:{parts.port or ''}{parts.path}"
    return _data_folder() / "spill" / hashlib.sha256(place.encode()).hexdigest()[:12]


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("setu", appauthor=False)


def _nano(per_million: float | None) -> float | None:
    return None if per_million is None else per_million * 1000
