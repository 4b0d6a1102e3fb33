"""Limits and budgets: which of them a request is charged on, and what a client is told of them."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from setu.resilience.ledger import Charge, Dimension, Limit, Unit

NAMELESS = "default"
"""The tenant of requests that name none: they count together, or leaving the name out would be a way round."""

ORDER: tuple[Dimension, ...] = ("gateway", "provider", "tenant", "key", "model")

LimitsT = tuple[Limit, ...]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """All configured limits, by the subjects they are for.

    `models` are pairs of a glob pattern and limits, in the order of the file; each model that a pattern matches has a
    count of its own. `default_tenant` is for every tenant without limits of its own.
    """

    gateway: LimitsT = ()
    providers: Mapping[str, LimitsT] = {}
    tenants: Mapping[str, LimitsT] = {}
    keys: Mapping[str, LimitsT] = {}
    models: tuple[tuple[str, LimitsT], ...] = ()
    default_tenant: LimitsT = ()

    def of(self, dimension: Dimension, subject: str) -> LimitsT:
        """Return a subject's limits; of the patterns for models an exact name comes first, then the first match."""
        match dimension:
            case "gateway":
                return self.gateway
            case "provider":
                return self.providers.get(subject, ())
            case "tenant":
                return self.tenants.get(subject or NAMELESS, self.default_tenant)
            case "key":
                return self.keys.get(subject, ()) if subject else ()
            case "model":
                return _matching(self.models, subject)

    def budgets(self) -> list[Limit]:
        """Return every limit of a day or a month."""
        groups = (
            self.gateway,
            self.default_tenant,
            *self.providers.values(),
            *self.tenants.values(),
            *self.keys.values(),
            *(limits for _, limits in self.models),
        )
        return [limit for group in groups for limit in group if limit.period != "minute"]


NO_LIMITS = Limits()


def charges(
    subjects: Mapping[Dimension, str],
    limits: Limits,
    *,
    tokens_estimate: int = 0,
    cost_estimate: int = 0,
    own: Sequence[Limit] = (),
) -> tuple[Charge, ...]:
    """Return what a request has to reserve: one charge for each limit of its subjects, in one fixed order.

    `own` are limits that the caller brings (its virtual key's); where two limit the same, the tighter one holds. The
    cost is in nano-USD. An estimate of nothing still asks for one, so that a budget that is used up refuses.
    """
    if limits is NO_LIMITS and not own:
        return ()
    amounts: dict[Unit, int] = {
        "requests": 1,
        "concurrency": 1,
        "tokens": max(1, tokens_estimate),
        "nano_usd": max(1, cost_estimate),
    }
    made: list[Charge] = []
    for dimension in ORDER:
        subject = subjects.get(dimension)
        if subject is None:
            continue
        found = (*limits.of(dimension, subject), *(limit for limit in own if limit.dimension == dimension))
        name = subject or NAMELESS
        made += [Charge(limit=limit, subject=name, amount=amounts[limit.unit]) for limit in tightest(found)]
    return tuple(made)


def tightest(limits: Sequence[Limit]) -> Sequence[Limit]:
    """Return the limits without those that a smaller one of the same unit and period makes moot."""
    if len(limits) < 2:
        return limits
    least: dict[tuple[str, str, str], Limit] = {}
    for limit in limits:
        kind = (limit.dimension, limit.unit, limit.period)
        if kind not in least or limit.amount < least[kind].amount:
            least[kind] = limit
    return tuple(least.values())


def tokens_to_reserve(prompt: int, max_tokens: int | None, *, output: int) -> int:
    """Return the tokens to reserve for a request: its prompt, and `output` of answer unless it allows itself less.

    Clients set `max_tokens` to what the model can at most (64,000), and use hundreds: reserved whole, the first
    request would fill a limit of 50,000 a minute, or never fit. What was really used is charged in the end.
    """
    return prompt + (output if max_tokens is None else min(max_tokens, output))


def limits_for(
    dimension: Dimension,
    *,
    requests_per_minute: int | None = None,
    burst: int = 0,
    tokens_per_minute: int | None = None,
    concurrency: int | None = None,
    daily_tokens: int | None = None,
    monthly_tokens: int | None = None,
    daily_usd: float | None = None,
    monthly_usd: float | None = None,
) -> LimitsT:
    """Return the limits of one subject; None is no limit. Named as the configuration names them."""
    rows = (
        Limit(name="concurrency", unit="concurrency", amount=concurrency or 0, dimension=dimension),
        Limit(
            name="requests_per_minute",
            unit="requests",
            amount=requests_per_minute or 0,
            dimension=dimension,
            burst=burst,
        ),
        Limit(name="tokens_per_minute", unit="tokens", amount=tokens_per_minute or 0, dimension=dimension),
        Limit(name="daily_tokens", unit="tokens", amount=daily_tokens or 0, dimension=dimension, period="day"),
        Limit(name="monthly_tokens", unit="tokens", amount=monthly_tokens or 0, dimension=dimension, period="month"),
        Limit(name="daily_usd", unit="nano_usd", amount=_nano(daily_usd), dimension=dimension, period="day"),
        Limit(name="monthly_usd", unit="nano_usd", amount=_nano(monthly_usd), dimension=dimension, period="month"),
    )
    return tuple(limit for limit in rows if limit.amount > 0)


def _nano(usd: float | None) -> int:
    return round((usd or 0.0) * 1e9)


def _matching(patterns: Iterable[tuple[str, LimitsT]], subject: str) -> LimitsT:
    rows = tuple(patterns)
    exact = next((limits for pattern, limits in rows if pattern == subject), None)
    if exact is not None:
        return exact
    return next((limits for pattern, limits in rows if fnmatchcase(subject, pattern)), ())
