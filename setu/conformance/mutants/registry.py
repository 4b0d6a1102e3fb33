"""Every mutant."""

from setu.conformance.mutants import answers
from setu.conformance.mutants.mutant import Mutant

_AREAS = (answers,)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for area in _AREAS for mutant in area.MUTANTS.all)
