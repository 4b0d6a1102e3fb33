"""What is wrong with a configuration, as one sentence that names its place and never a value."""

from difflib import get_close_matches

from pydantic import ValidationError

from setu.config.layers import Merged, Path
from setu.config.model import Config
from setu.config.schema import table_at


def explained(error: ValidationError, merged: Merged, file: str) -> str:
    """Say what is wrong first; `file` is what to name when no source said the key."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = tuple(str(step) for step in first["loc"])
    where = place(path, merged) or file
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg'].removeprefix('Value error, ')}"
    table = table_at(Config, path[:-1])
    near = get_close_matches(path[-1], table.model_fields if table is not None else (), n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"{where}: unknown key{hint}"


def place(path: Path, merged: Merged) -> str | None:
    """Return where a key stands, in the words of whoever said it; None when nobody did."""
    layer = merged.layer(path)
    return layer.place(path) if layer is not None else None
