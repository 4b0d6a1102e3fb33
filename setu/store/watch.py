"""What one process knows of its deployments: their breakers, how they do, how many calls are under way, whose turn."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from setu.resilience import health
from setu.resilience.breaker import CLOSED, Breaker, Policy
from setu.resilience.health import UNKNOWN, Health
from setu.resilience.ledger import Permit, Refusal, Result, Standing
from setu.resilience.refusals import BREAKER_OPEN


class Standings(Mapping[str, Standing]):
    """How deployments stand, looked up when somebody asks: most requests have one target, and ask about none."""

    def __init__(self, watch: "Watch") -> None:
        self._watch = watch

    def __getitem__(self, name: str) -> Standing:
        if not self._watch.knows(name):
            raise KeyError(name)
        return self._watch.of(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._watch.names())

    def __len__(self) -> int:
        return len(self._watch.names())


class Watch:
    """Breakers and averages by deployment name. `now` is the clock that breakers are read by, `epoch` that of dates."""

    def __init__(self, now: Callable[[], float], policy: Policy, epoch: Callable[[], float]) -> None:
        self.now = now
        self._epoch = epoch
        self._changed: dict[str, float] = {}
        self.policy = policy
        self._breakers: dict[str, Breaker] = {}
        self._healths: dict[str, Health] = {}
        self._busy: Counter[str] = Counter()
        self._turns: Counter[str] = Counter()

    def breaker(self, name: str) -> Breaker:
        return self._breakers.get(name, CLOSED)

    def breakers(self) -> Iterable[tuple[str, Breaker]]:
        return tuple(self._breakers.items())

    def put(self, name: str, breaker: Breaker) -> None:
        if (breaker.state == "closed") != (self.breaker(name).state == "closed"):
            self._changed[name] = self._epoch()
        self._breakers[name] = breaker

    def let(self, name: str, *, probe: bool = False) -> Permit:
        """Count a call that begins."""
        self._busy[name] += 1
        return Permit(name=name, probe=probe, taken=self.now())

    def done(self, permit: Permit, result: Result | None) -> None:
        """Count a call that ended."""
        self._busy[permit.name] -= 1
        if result is not None:
            old = self._healths.get(permit.name, UNKNOWN)
            self._healths[permit.name] = health.update(old, self.now(), result, epoch=self._epoch())

    def standing(self) -> Mapping[str, Standing]:
        return Standings(self)

    def knows(self, name: str) -> bool:
        return name in self._breakers or name in self._healths or name in self._busy

    def names(self) -> Collection[str]:
        return self._breakers.keys() | self._healths.keys() | self._busy.keys()

    def of(self, name: str) -> Standing:
        """Return how a deployment stands now."""
        return health.standing(
            self._healths.get(name, UNKNOWN),
            self.breaker(name),
            self.now(),
            self.policy,
            self._busy[name],
            self._changed.get(name),
        )

    def turn(self, name: str) -> int:
        count = self._turns[name]
        self._turns[name] = count + 1
        return count


def shut(name: str, retry_after: float) -> Refusal:
    """Return the refusal of an open breaker."""
    return Refusal(subject=name, retry_after=retry_after, reason=BREAKER_OPEN)
