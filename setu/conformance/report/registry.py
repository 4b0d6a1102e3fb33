"""The reports that can be written to a file, by kind."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from setu.conformance.report import badge, html, json_, junit, markdown
from setu.conformance.results import Run
from setu.errors import ConfigError

Render = Callable[[Sequence[Run], Sequence[Run]], str]

RENDERERS: Mapping[str, Render] = {
    "junit": lambda runs, _: junit.render(runs),
    "json": lambda runs, _: json_.render(runs),
    "markdown": markdown.render,
    "html": html.render,
    "badge": lambda runs, _: badge.render(runs),
}
KINDS = tuple(RENDERERS)


def write(kind: str, path: Path, runs: Sequence[Run], *, previous: Sequence[Run] = ()) -> None:
    """Write a report of runs to a file; Markdown and HTML show what changed since `previous` ones.

    Raises:
        ConfigError: there is no such kind, or the file cannot be written.
    """
    render = RENDERERS.get(kind)
    if render is None:
        raise ConfigError(f"no report {kind!r}; there are {', '.join(KINDS)}")
    text = render(runs, previous)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from None
