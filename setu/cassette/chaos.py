"""Which rule strikes which call: what is left of faults when their text has been read is counting."""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence

import msgspec

from setu.cassette.fault_answers import Burst, RenderError, answers
from setu.cassette.fault_steps import Struck
from setu.cassette.faults import Rule
from setu.cassette.script import Script


class Broken(msgspec.Struct, frozen=True):
    """An answer and the rules that changed it; `lies` when a client that takes it for a whole one is mistaken."""

    script: Script
    rules: tuple[str, ...] = ()
    lies: bool = False

    @property
    def text(self) -> str:
        return "; ".join(self.rules)


class Chaos:
    """Rules and what has come of them so far.

    The error answers of a burst come before the call that they are for, and do not count as one. A rule without a
    probability starts its burst once; one with a probability may start it at every request. What chance decides
    depends on the request and on how often it came, so that calls side by side do not change each other's fate.
    """

    def __init__(self, rules: Sequence[Rule], render: RenderError) -> None:
        self.rules = tuple(rules)
        self._render = render
        self._calls: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._started: set[int] = set()
        self._pending: defaultdict[str, deque[Broken]] = defaultdict(deque)
        self._own: Counter[tuple[str, str]] = Counter()

    def failing(self, struck: Struck, own: Sequence[Rule] = ()) -> Broken | None:
        """Return the error answer that a request gets in place of its recording; `own` are rules for it alone."""
        if not self.rules and not own:
            return None
        self._asked[struck.key] += 1
        found = self._of_its_own(struck, own)
        if found is not None:
            return found
        nth = self._calls[struck.dialect] + 1
        pending = self._pending[struck.dialect]
        for index, rule in enumerate(self.rules):
            if (
                isinstance(rule.effect, Burst)
                and rule.strikes(struck.dialect, nth)
                and self._starts(index, rule, struck)
            ):
                pending.extend(self._burst(rule, rule.effect, struck))
        return pending.popleft() if pending else None

    def strike(self, script: Script, struck: Struck, own: Sequence[Rule] = ()) -> Broken:
        """Return the answer as the rules leave it, in their order; this is the dialect's next call."""
        self._calls[struck.dialect] += 1
        nth = self._calls[struck.dialect]
        done = Broken(script)
        for rule in (*self.rules, *own):
            if isinstance(rule.effect, Burst) or not rule.strikes(struck.dialect, nth) or not self._drawn(rule, struck):
                continue
            made = rule.effect(_seeded(struck, rule, self._asked))(done.script)
            if made != done.script:
                done = Broken(made, (*done.rules, rule.text), done.lies or rule.breaks)
        return done

    def _drawn(self, rule: Rule, struck: Struck) -> bool:
        return rule.drawn(_turn(struck, self._asked))

    def _starts(self, index: int, rule: Rule, struck: Struck) -> bool:
        """Say whether a burst starts now; while error answers are still due, none does by chance."""
        if rule.p < 1:
            return not self._pending[struck.dialect] and self._drawn(rule, struck)
        if index in self._started:
            return False
        self._started.add(index)
        return True

    def _of_its_own(self, struck: Struck, own: Sequence[Rule]) -> Broken | None:
        """Return the next error answer of a request's own bursts: its first tries fail, the one after them does not."""
        for rule in own:
            if not isinstance(rule.effect, Burst) or not rule.strikes(struck.dialect, rule.nth):
                continue
            served = self._own[rule.text, struck.key]
            if served < rule.effect.times and (served or self._drawn(rule, struck)):
                self._own[rule.text, struck.key] += 1
                return self._burst(rule, rule.effect, struck)[served]
            self._own.pop((rule.text, struck.key), None)
        return None

    def _burst(self, rule: Rule, burst: Burst, struck: Struck) -> list[Broken]:
        made = answers(burst, _seeded(struck, rule, self._asked), self._render)
        return [Broken(script, (rule.text,)) for script in made]


def _turn(struck: Struck, asked: Counter[str]) -> str:
    return f"{struck.key}#{asked[struck.key]}"


def _seeded(struck: Struck, rule: Rule, asked: Counter[str]) -> Struck:
    return msgspec.structs.replace(struck, seed=rule.seed, key=_turn(struck, asked))
