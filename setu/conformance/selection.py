"""Which checks a run is about: by area, by id, by profile."""

from collections.abc import Mapping, Sequence

import msgspec

from setu.conformance.catalogue import Catalogue, Check
from setu.conformance.probes.probe import Probe
from setu.conformance.results import Run
from setu.errors import ConfigError

PROFILES: Mapping[str, frozenset[str]] = {"agent": frozenset({"core", "tools"})}
"""Profiles made of others."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Areas and ids to take, and to leave out; nothing to take means all. `profiles` narrow both."""

    take: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()

    def wants(self, check: Check) -> bool:
        names = {check.id, check.area}
        if self.profiles and check.profile not in self.profiles:
            return False
        return not names & self.leave and (not self.take or bool(names & self.take))

    def probes(self, catalogue: Catalogue, probes: Sequence[Probe]) -> tuple[Probe, ...]:
        """Return the probes that conclude on a wanted check; all, if one is wanted that any exchange may decide."""
        known = catalogue.by_id
        concluded = {check for probe in probes for check in probe.checks}
        if any(
            self.wants(check) and check.kind == "passive" and check.id not in concluded for check in catalogue.checks
        ):
            return tuple(probes)
        return tuple(probe for probe in probes if any(self.wants(known[check]) for check in probe.checks))

    def narrow(self, run: Run) -> Run:
        """Return a run with the results of wanted checks alone."""
        kept = tuple(result for result in run.results if self.wants(result.check))
        if len(kept) == len(run.results):
            return run
        # A report says what it does not tell, and that is whatever was left out, too.
        left = tuple(result.check.id for result in run.results if not self.wants(result.check))
        return msgspec.structs.replace(run, results=kept, untried=(*run.untried, *left))


def parse(texts: Sequence[str], profile: str | None, catalogue: Catalogue) -> Selection:
    """Read `TOOL,-TOOL-019` and a profile's name.

    Raises:
        ConfigError: no area, check or profile is called so.
    """
    known = set(catalogue.areas) | set(catalogue.by_id)
    take: set[str] = set()
    leave: set[str] = set()
    for text in (part.strip() for written in texts for part in written.split(",") if part.strip()):
        name = text.removeprefix("-")
        if name not in known:
            raise ConfigError(f"--select: no area or check is called {name}")
        (leave if text.startswith("-") else take).add(name)
    profiles = {check.profile for check in catalogue.checks}
    if profile is not None and profile not in profiles | set(PROFILES):
        raise ConfigError(f"--profile {profile}: there are {', '.join(sorted(profiles | set(PROFILES)))}")
    wanted = PROFILES.get(profile, frozenset({profile})) if profile is not None else frozenset()
    return Selection(take=frozenset(take), leave=frozenset(leave), profiles=wanted)
