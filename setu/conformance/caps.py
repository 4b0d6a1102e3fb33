"""What a target declares: a TOML file with the capabilities that it has."""

from pathlib import Path

import msgspec
import tomli

from setu.errors import ConfigError

KNOWN = frozenset(
    {
        *("auth", "tools", "n", "stop", "logprobs", "json_object", "json_schema", "images", "embeddings"),
        *("anthropic", "gemini", "responses", "default_model"),
    }
)


class Capabilities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: `capabilities = ["tools", "n"]`, and the model that embeds, if there is one."""

    capabilities: tuple[str, ...]
    embedding: str | None = None


def load(path: Path) -> Capabilities:
    """Read a file of capabilities.

    Raises:
        ConfigError: it cannot be read, or names a capability that there is not.
    """
    try:
        found = msgspec.convert(tomli.loads(path.read_text(encoding="utf-8")), Capabilities)
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from None
    unknown = sorted(set(found.capabilities) - KNOWN)
    if unknown:
        raise ConfigError(f"{path}: capabilities: there is no {unknown[0]!r}; there are {', '.join(sorted(KNOWN))}")
    return found
