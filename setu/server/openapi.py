"""Our own OpenAPI document: what the gateway serves, and what conformance fuzzes."""

from functools import cache
from typing import Any

from setu.bundled import data_dir


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.2 document of the chat endpoint."""
    import yaml

    text = (data_dir("conformance") / "openapi" / "openai_chat.yaml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    assert isinstance(loaded, dict)
    return loaded
