"""Mutants of plain chat answers."""

from setu.conformance.mutants.edits import Json, drop, plain, put
from setu.conformance.mutants.mutant import Mutants

MUTANTS = Mutants()


def _milliseconds(made: Json, _asked: Json) -> Json:
    return {**made, "created": made["created"] * 1000}


MUTANTS.front("CHAT-001", "no_id", "An answer has no id.", plain(drop("/id")))
MUTANTS.front(
    "CHAT-002", "chunk_object", "An answer calls itself a chunk.", plain(put("/object", "chat.completion.chunk"))
)
MUTANTS.front("CHAT-003", "milliseconds", "The time is in milliseconds.", plain(_milliseconds))
