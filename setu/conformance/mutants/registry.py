"""Every mutant."""

from setu.conformance.mutants import answers, requests_, streams, tools, transport
from setu.conformance.mutants.mutant import Mutant

_AREAS = (transport, answers, requests_, streams, tools)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for area in _AREAS for mutant in area.MUTANTS.all)
