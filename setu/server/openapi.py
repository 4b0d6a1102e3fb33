"""Our own OpenAPI document: what the gateway serves, and what conformance fuzzes."""

from functools import cache
from typing import Any

from setu.bundled import data_dir

_FRAME = "root.yaml"


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.2 document of every endpoint: the frame, with the paths and schemas of each other file.

    Raises:
        ValueError: two files describe the same path or name two schemas alike.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is not in every build of PyYAML
    folder = data_dir("conformance") / "openapi"
    read = {path.name: yaml.load(path.read_bytes(), loader) for path in sorted(folder.glob("*.yaml"))}  # noqa: S506 - both are safe loaders
    whole: dict[str, Any] = read.pop(_FRAME)
    for name, part in read.items():
        _add(whole["paths"], part.get("paths", {}), name)
        _add(whole["components"]["schemas"], part["components"]["schemas"], name)
    return whole


def _add(whole: dict[str, Any], part: dict[str, Any], name: str) -> None:
    twice = whole.keys() & part.keys()
    if twice:
        raise ValueError(f"{name}: described twice: {', '.join(sorted(twice))}")
    whole.update(part)
