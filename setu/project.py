"""The settings of a project, for all who record and replay in it: commands, test runs, context managers."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from setu import build
from setu.config.load import find, load
from setu.config.model import Config, ProviderConfig
from setu.errors import ConfigError
from setu.providers.deployment import Deployment

_OWN = "upstream"
"""The name of a host that is given by its base URL."""


def read(path: Path | None, environ: Mapping[str, str], folder: Path = Path()) -> Config:
    """Read the configuration: the file named, else `$SETU_CONFIG`, the folder's `setu.toml`, the user's own.

    A key that it takes from the environment need not be there: replays need none, and clients send their own.

    Raises:
        ConfigError: a named file does not exist, or one is no configuration; names file, line and key.
    """
    return load(find(path, environ, folder), environ, offline=True)


def providers(
    config: Config, environ: Mapping[str, str], upstream: str = "openai"
) -> tuple[dict[str, Deployment], str]:
    """Return the providers that are configured and those that Setu knows, and which one unprefixed paths go to.

    None of them needs a key.

    Raises:
        ConfigError: no provider of that name, or a URL that is none.
    """
    known = build.deployments(Config(), environ, offline_key="")
    if config.providers:
        known |= build.deployments(config, environ, offline_key="")
    return with_upstream(known, upstream)


def with_upstream(
    deployed: Mapping[str, Deployment], upstream: str, option: str = "upstream"
) -> tuple[dict[str, Deployment], str]:
    """Return the deployments and the name of the one that unprefixed paths go to; a URL becomes one of its own.

    `option` is what errors call it.
    """
    known = dict(deployed)
    if upstream.startswith(("http://", "https://")):
        try:
            section = ProviderConfig(type="openai_compatible", base_url=upstream)
        except ValidationError as error:
            reason = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise ConfigError(f"{option}: {reason.removeprefix('Value error, ')}") from None
        known |= build.deployments(Config(providers={_OWN: section}), {}, offline_key="")
        return known, _OWN
    if upstream not in known:
        raise ConfigError(f"{option} {upstream}: no such provider; there are {', '.join(sorted(known))}")
    return known, upstream
