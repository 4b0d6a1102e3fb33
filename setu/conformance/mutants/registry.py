"""Every mutant."""

from setu.conformance.mutants import (
    answers,
    embeddings,
    failures,
    laws_answers,
    laws_requests,
    natives,
    proxy,
    requests_,
    responses,
    stages,
    streams,
    tools,
    transport,
)
from setu.conformance.mutants.mutant import Mutant

_AREAS = (
    transport,
    answers,
    requests_,
    streams,
    tools,
    laws_requests,
    laws_answers,
    stages,
    natives,
    responses,
    embeddings,
    failures,
    proxy,
)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for area in _AREAS for mutant in area.MUTANTS.all)
