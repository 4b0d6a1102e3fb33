"""Seals and other marks that a part carries beside its content."""

from typing import Literal

import msgspec

from setu._json import Json


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """Opaque proof by the model's host that it wrote a part; valid at `issuer` only and never altered.

    `issuer` is a dialect name. Anthropic: `signature` of thinking, `redacted` thinking data. Gemini:
    `thoughtSignature` (`signature`). OpenAI: `encrypted_content` (`encrypted`).
    """

    issuer: str
    kind: Literal["signature", "encrypted", "redacted"]
    data: str


class CacheMark(msgspec.Struct, frozen=True, kw_only=True):
    """Cache the prompt up to here: Anthropic `cache_control`. `ttl` as the source wrote it, such as `5m`."""

    ttl: str | None = None


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """Members only the source dialect knows: re-rendered there, one loss per key anywhere else."""

    dialect: str
    members: dict[str, Json]


class Cite(msgspec.Struct, frozen=True, kw_only=True):
    """Where a text's claim comes from.

    `kind` is the source's own word (`url_citation`, `char_location`, `grounding`); `start` and `end` are offsets
    in characters of the text; `raw` is the source's whole citation.
    """

    kind: str
    dialect: str
    start: int | None = None
    end: int | None = None
    url: str | None = None
    title: str | None = None
    quoted: str | None = None
    source: str | None = None
    raw: Json | None = None
