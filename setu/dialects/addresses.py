"""Media and their addresses: a base64 data URL is media in the request itself."""

import re

from setu.chat.parts import Inline, Url

_DATA_URL = re.compile(r"data:([^;,\s]*);base64,([A-Za-z0-9+/=_\-\s]*)")


def source_of(url: str) -> Inline | Url:
    """Read an address; a base64 data URL is media in the request itself."""
    found = _DATA_URL.fullmatch(url)
    return Inline(b64=found[2], mime=found[1]) if found else Url(url=url)


def address(source: Inline | Url) -> str:
    """Write a source as a URL."""
    return source.url if isinstance(source, Url) else f"data:{source.mime};base64,{source.b64}"
