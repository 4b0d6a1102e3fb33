"""The templates of pages: every value is escaped, and one that is missing is an error."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

_FOLDER = "templates"


class Asset(NamedTuple):
    """A style sheet or a script to stand in a page, and the source that its policy allows for it alone."""

    text: str
    source: str


@cache
def template(name: str) -> Any:
    """Return a template of this package; jinja2 is imported with the first one."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_read(name))


@cache
def asset(name: str) -> Asset:
    """Return a style sheet or a script of this package; a page says `{{ asset.text | safe }}`, for it is ours."""
    text = _read(name)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Asset(text, f"'sha256-{digest}'")


def _read(name: str) -> str:
    return (files("setu.web") / _FOLDER / name).read_text(encoding="utf-8")
