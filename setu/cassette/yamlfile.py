"""Read cassette text as YAML, with the line of every interaction; the one place that needs a YAML library."""

import json
import warnings
from functools import cache
from typing import Any

import yaml

from setu.errors import CassetteDecodeError

INCOMPLETE = "if a recorder was killed while it wrote, `setu cassettes repair` removes what it left behind"


def parse_cassette(text: str, name: str) -> list[tuple[int, Any]]:
    """Return each interaction with its line.

    Raises:
        CassetteDecodeError: not YAML (or JSON), or no list of interactions; names file and line.
    """
    if text.lstrip()[:1] == "{" and (found := _json_interactions(text)) is not None:
        return found
    loader = loader_class()(text)
    try:
        root = loader.get_single_node()
        sequence = _interactions(root, name)
        return [(item.start_mark.line + 1, loader.construct_document(item)) for item in sequence.value]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise CassetteDecodeError(f"{where}: not readable YAML: {error.problem}; {INCOMPLETE}") from None
    except yaml.YAMLError as error:
        raise CassetteDecodeError(f"{name}: not readable YAML: {str(error).splitlines()[0]}") from None
    finally:
        loader.dispose()


_LISTS = ("interactions", "http_interactions")
"""The member that holds them; the second one is Ruby VCR's."""


@cache
def loader_class() -> Any:
    """Return libyaml's safe loader, or the pure one with a warning: it is 30 to 40 times slower."""
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is None:
        warnings.warn("PyYAML was built without libyaml: cassettes load about 30 times slower", stacklevel=3)
    # A subclass, so that nobody else's loader learns Ruby's tag for bytes.
    own: Any = type("Loader", (fast or yaml.SafeLoader,), {})
    own.add_constructor("!binary", yaml.constructor.SafeConstructor.construct_yaml_binary)
    return own


def _interactions(root: Any, name: str) -> Any:
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if key.value in _LISTS:
                if isinstance(value, yaml.SequenceNode):
                    return value
                if isinstance(value, yaml.ScalarNode) and not value.value:  # a header and nothing yet
                    return yaml.SequenceNode("tag:yaml.org,2002:seq", [])
    line = root.start_mark.line + 1 if root is not None else 1
    raise CassetteDecodeError(f"{name}:{line}: no 'interactions' list: not a cassette")


def _json_interactions(text: str) -> list[tuple[int, Any]] | None:
    """Read what vcrpy's JSON serializer wrote; it has no lines worth naming."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    found = next((document[key] for key in _LISTS if key in document), None)
    return [(1, item) for item in found] if isinstance(found, list) else None
