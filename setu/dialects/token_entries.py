"""Log probabilities of tokens in OpenAI's form, whatever form a host gave them."""

from typing import Any

import msgspec

from setu import _json
from setu._json import Json, Raw


class _Top(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Token(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[_Top]
    bytes: list[int] | None = None


_token = msgspec.json.Decoder(_Token).decode

_UNLIKELY = -9999.0
"""OpenAI's own word for a token too unlikely to count."""


def render_token(raw: Json) -> Any:
    """Return a token entry as it is if it has OpenAI's form, else the members of it that do."""
    try:
        _token(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _mended(_json.decode(raw))
    return Raw(raw)


def _mended(entry: Any) -> dict[str, Any]:
    """Return a token entry of OpenAI's form with what a host's own form says of it."""
    mended = _mended_top(entry)
    tops = entry.get("top_logprobs") if isinstance(entry, dict) else None
    return mended | {"top_logprobs": [_mended_top(top) for top in tops] if isinstance(tops, list) else []}


def _mended_top(entry: Any) -> dict[str, Any]:
    said = entry if isinstance(entry, dict) else {}
    token, logprob, octets = said.get("token"), said.get("logprob"), said.get("bytes")
    counted = isinstance(octets, list) and all(type(octet) is int for octet in octets)
    return {
        "token": token if isinstance(token, str) else "",
        "logprob": logprob if isinstance(logprob, (int, float)) else _UNLIKELY,
        "bytes": octets if counted else None,
    }
