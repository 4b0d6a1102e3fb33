"""The dialects there are."""

from collections.abc import Mapping

from setu.dialects.anthropic.codec import DIALECT as ANTHROPIC
from setu.dialects.gemini.codec import DIALECT as GEMINI
from setu.dialects.openai_chat.codec import DIALECT as OPENAI_CHAT
from setu.dialects.record import Dialect

DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (OPENAI_CHAT, ANTHROPIC, GEMINI)}


def of_path(path: str) -> Dialect:
    """Return the dialect an endpoint's errors are written in; chat where the path says nothing."""
    if path.endswith("/messages") or "/messages/" in path:
        return ANTHROPIC
    if ":" in path.rpartition("/")[2] or "/v1beta" in path:
        return GEMINI
    return OPENAI_CHAT
