"""Mutants of embeddings. Whoever spoils the numbers has numbers that are not the upstream's (EMB-004), too."""

from setu.conformance.judges.view import objects
from setu.conformance.mutants.edits import EMBEDDINGS, Json, drop, plain, put, requests
from setu.conformance.mutants.mutant import Mutants

MUTANTS = Mutants()


def _turned(made: Json, _asked: Json) -> Json:
    return {**made, "data": made["data"][::-1]}


def _numbered_anew(made: Json, _asked: Json) -> Json:
    for row in objects(made["data"]):
        row["index"] = 0
    return made


def _one_lost(made: Json, _asked: Json) -> Json:
    return {**made, "data": made["data"][:-1]}


def _shortened(made: Json, asked: Json) -> Json:
    """Leave a number out of the first, where no size was asked for."""
    first = made["data"][0]
    if "dimensions" not in asked and isinstance(first["embedding"], list):
        first["embedding"] = first["embedding"][1:]
    return made


def _rounded(made: Json, _asked: Json) -> Json:
    for row in objects(made["data"]):
        if isinstance(row["embedding"], list):
            row["embedding"] = [round(number, 2) for number in row["embedding"]]
    return made


def _floats(asked: Json) -> Json:
    return {name: value for name, value in asked.items() if name != "encoding_format"}


def _full_length(asked: Json) -> Json:
    return {name: value for name, value in asked.items() if name != "dimensions"}


def _something(asked: Json) -> Json:
    return {**asked, "input": [" "]} if asked.get("input") == [] else asked


MUTANTS.front("EMB-001", "no_usage", "An answer has no usage.", plain(drop("/usage"), EMBEDDINGS))
MUTANTS.front("EMB-001", "dict_object", "An answer is no list.", plain(put("/object", "dict"), EMBEDDINGS))
MUTANTS.front("EMB-002", "order_turned", "The last comes first.", plain(_turned, EMBEDDINGS), implies="EMB-004")
MUTANTS.front("EMB-002", "indices_all_zero", "Each is the first.", plain(_numbered_anew, EMBEDDINGS))
MUTANTS.front("EMB-002", "one_lost", "The last input is not embedded.", plain(_one_lost, EMBEDDINGS), implies="EMB-004")
MUTANTS.front(
    "EMB-003", "lengths_differ", "One is shorter than the others.", plain(_shortened, EMBEDDINGS), implies="EMB-004"
)
MUTANTS.front("EMB-004", "numbers_rounded", "Numbers are rounded.", plain(_rounded, EMBEDDINGS))
MUTANTS.front("EMB-004", "floats_for_base64", "What is asked for as text comes as numbers.", requests(_floats))
MUTANTS.front("EMB-005", "full_length", "The size that was asked for is lost.", requests(_full_length))
MUTANTS.front("EMB-006", "empty_answered", "Nothing is embedded as if it were something.", requests(_something))
