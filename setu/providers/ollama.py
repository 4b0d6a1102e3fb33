"""Ollama on this machine or another. It serves whatever was pulled: the models here are only those best known.

Source: docs.ollama.com/api/introduction, docs.ollama.com/faq (OLLAMA_HOST) and ollama.com/library, read 2026-11-20.
"""

import re
from typing import Final

from setu.dialects.record import Facts
from setu.providers.record import Provider, Variable

_PORT: Final = 11434
_ADDRESS = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>\[[^\]]*\]|[^:/]*)(?::(?P<port>\d+))?(?P<path>/.*)?")
_EVERYWHERE = frozenset({"", "0.0.0.0", "[::]", "[::0]"})  # noqa: S104 - read here, never bound


def address(value: str) -> str:
    """Return the URL that OLLAMA_HOST means to a client.

    The variable is the server's, too: it may lack the scheme, the port, or be an address to listen on (0.0.0.0), which
    nobody can call. Without a scheme the port is Ollama's own, with one it is the scheme's, as in Ollama's client.
    """
    found = _ADDRESS.fullmatch(value.strip().strip("\"'"))
    if found is None:
        return value
    host = "127.0.0.1" if found["host"] in _EVERYWHERE else found["host"]
    port = found["port"] or ("" if found["scheme"] else str(_PORT))
    return f"{found['scheme'] or 'http'}://{host}{':' if port else ''}{port}{(found['path'] or '').rstrip('/')}"


_TEXT = Facts(thinking="none", vision=False, tools=True)
_SEES = Facts(thinking="none", vision=True, tools=True)
_THINKS = Facts(thinking="budget", vision=False, tools=True)
_LEVELS = Facts(thinking="effort", efforts=("low", "medium", "high"), vision=False, tools=True)

PROVIDER = Provider(
    name="ollama",
    base_url="{host}",
    dialects=("ollama",),
    scheme="none",
    variables={"host": Variable(env=("OLLAMA_HOST",), default=f"http://127.0.0.1:{_PORT}", reads=address)},
    models={
        "qwen3": _THINKS,
        "gpt-oss": _LEVELS,
        "llama3.2": _TEXT,
        "llama3.1": _TEXT,
        "gemma3": _SEES,
        "mistral-small3.2": _SEES,
        "deepseek-r1": _THINKS,
    },
    owned_by="library",
    docs="https://docs.ollama.com/api/chat",
    read="2026-11-20",
)
