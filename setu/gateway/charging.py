"""What a request is charged for, before anybody knows what it will use."""

from collections.abc import Callable, Mapping

from setu.access.caller import Caller
from setu.resilience.ledger import Charge, Dimension
from setu.resilience.limits import Limits, charges, tokens_to_reserve
from setu.routing.plan import Ask, Price, Target

Priced = Callable[[str, str], Price | None]


class Meter:
    """Reserves by estimates: the prompt's length, and so much of an answer as `output` says."""

    def __init__(self, limits: Limits, prices: Priced, *, output: int) -> None:
        self._limits = limits
        self._prices = prices
        self._output = output

    def of_client(self, caller: Caller, ask: Ask, target: Target) -> tuple[Charge, ...]:
        """Return the charges of the gateway, the tenant, the key and the model."""
        subjects: dict[Dimension, str] = {
            "gateway": "",
            "tenant": ask.tenant or caller.tenant,
            "key": caller.key,
            "model": target.model,
        }
        return self._charges(subjects, ask, target, caller)

    def of_target(self, target: Target, ask: Ask) -> tuple[Charge, ...]:
        """Return the charges of the provider."""
        name = target.deployment.name
        return self._charges({"provider": name}, ask, target, None) if name in self._limits.providers else ()

    def _charges(
        self, subjects: Mapping[Dimension, str], ask: Ask, target: Target, caller: Caller | None
    ) -> tuple[Charge, ...]:
        tokens = tokens_to_reserve(ask.tokens, ask.max_tokens, output=self._output)
        price = self._prices(target.deployment.name, target.model)
        cost = 0 if price is None else round(ask.tokens * price.input + (tokens - ask.tokens) * price.output)
        own = caller.limits if caller is not None else ()
        return charges(subjects, self._limits, tokens_estimate=tokens, cost_estimate=cost, own=own)
