"""Read a text in a format, and tell apart what came of it."""

from setu.cassette.formats.intake import DEFAULT, Found, Intake, Skipped
from setu.cassette.formats.registry import FORMATS, format_of
from setu.cassette.model import Interaction


def found_in(data: bytes | str, form: str | None = None, name: str = "a", intake: Intake = DEFAULT) -> list[Found]:
    """Return everything that a file holds; without a format's name the content tells it."""
    content = data.encode() if isinstance(data, str) else data
    return list((FORMATS[form] if form else format_of(content, name)).read(content, name, intake))


def read(data: bytes | str, form: str | None = None, name: str = "a", intake: Intake = DEFAULT) -> list[Interaction]:
    """Return the interactions of a file in which nothing is skipped."""
    found = found_in(data, form, name, intake)
    assert [each for each in found if isinstance(each, Skipped)] == []
    return [each for each in found if isinstance(each, Interaction)]


def skipped(data: bytes | str, form: str | None = None) -> list[Skipped]:
    return [each for each in found_in(data, form) if isinstance(each, Skipped)]
