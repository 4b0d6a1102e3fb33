"""What tokens cost: the configuration's own prices first, then the snapshot that genai-prices ships. Never the network.

Money is counted in nano-USD (1e-9), so that sums are exact; a USD per million tokens is 1000 nano-USD a token.
"""

import math
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from setu.routing.plan import Price
from setu.signals import Call

if TYPE_CHECKING:
    from genai_prices import types

PRICED_AS: Mapping[str, str] = {
    "bedrock": "aws",
    "gemini": "google",
    "moonshot": "moonshotai",
    "vertex": "google",
    "xai": "x-ai",
}
"""genai-prices' names of our providers, where they differ."""

_LONGEST_ID = 200
"""Longer names are nobody's model: they are not worth a place in the cache."""


class Rate(Price, frozen=True, kw_only=True):
    """A price with what only few models have: reasoning apart, and nano-USD a request."""

    reasoning: float | None = None
    request: float = 0.0


class Tariff(msgspec.Struct, frozen=True):
    """A price, and dearer ones for long prompts: the last step that a prompt exceeds holds for all its tokens."""

    base: Price
    steps: tuple[tuple[int, Price], ...] = ()

    def at(self, tokens: int) -> Price:
        found = self.base
        for start, price in self.steps:
            if tokens > start:
                found = price
        return found


class Prices:
    """Prices by deployment and model.

    `overrides` are the configuration's, by `model`, `provider/model` or a pattern of either (`ollama/*`); `kinds` says
    what type of provider each deployment is (`{"eu": "azure"}`), where its name does not. Until `load` has run, which
    takes a fifth of a second and more, only overrides are known: the snapshot is loaded in a thread.
    """

    def __init__(self, overrides: Mapping[str, Price] | None = None, kinds: Mapping[str, str] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._kinds = dict(kinds or {})
        self._providers: dict[str, types.Provider] = {}
        self._loading = threading.Lock()
        self._tariffs: dict[int, Tariff | None] = {}
        self._override = lru_cache(4096)(self._find_override)
        self._model = lru_cache(4096)(self._find_model)
        self.ready = False

    def load(self) -> None:
        """Load the snapshot, once."""
        with self._loading:
            if self.ready:
                return
            from genai_prices.data_snapshot import get_snapshot

            self._providers = {provider.id: provider for provider in get_snapshot().providers}
            self._model.cache_clear()
            self.ready = True

    def load_soon(self) -> None:
        """Load the snapshot in a thread of its own."""
        threading.Thread(target=self.load, name="setu-prices", daemon=True).start()

    def price(self, provider: str, model: str) -> Price | None:
        """Return what a short prompt's token costs now; None where nobody says."""
        tariff = self.tariff(provider, model, time.time())
        return tariff.base if tariff is not None else None

    def of(self, targets: Iterable[tuple[str, str]]) -> dict[str, Price]:
        """Return the known prices of deployments and models, by `provider/model`: what cost-based routing looks at."""
        found = {f"{provider}/{model}": self.price(provider, model) for provider, model in targets}
        return {name: price for name, price in found.items() if price is not None}

    def tariff(self, provider: str, model: str, when: float) -> Tariff | None:
        """Return the prices at a moment (seconds since the epoch): some hosts are cheaper at night."""
        if len(model) > _LONGEST_ID:
            return None
        own = self._override(provider, model)
        if own is not None:
            return Tariff(own)
        info = self._model(provider, model)
        if info is None:
            return None
        prices = info.get_prices(datetime.fromtimestamp(when, UTC))
        # The snapshot keeps these objects for good, so what one was turned into can be kept by its identity.
        if id(prices) not in self._tariffs:
            self._tariffs[id(prices)] = _tariff(prices)
        return self._tariffs[id(prices)]

    def cost(self, call: Call) -> int | None:
        """Return what a call cost in nano-USD; None where the price or the tokens are unknown.

        An answer out of the gateway's own cache costs nothing.
        """
        if call.cost is not None:
            return call.cost
        if call.cache == "hit":
            return 0
        if call.input_tokens is None and call.output_tokens is None:
            return None
        tariff = self.tariff(
            call.provider, call.upstream_model or call.model, (call.started or time.time() * 1000) / 1000
        )
        return charge(tariff, call) if tariff is not None else None

    def _find_override(self, provider: str, model: str) -> Price | None:
        full = f"{provider}/{model}"
        for name in (full, model):
            if name in self._overrides:
                return self._overrides[name]
        for pattern, price in self._overrides.items():
            if fnmatchcase(full, pattern) or fnmatchcase(model, pattern):
                return price
        return None

    def _find_model(self, provider: str, model: str) -> "types.ModelInfo | None":
        kind = self._kinds.get(provider, provider)
        known = self._providers.get(PRICED_AS.get(kind, kind))
        return known.find_model(model, all_providers=list(self._providers.values())) if known is not None else None


def charge(tariff: Tariff, call: Call) -> int:
    """Return nano-USD: cached and cache-writing tokens are part of the input, reasoning ones of the output."""
    given, made = max(0, call.input_tokens or 0), max(0, call.output_tokens or 0)
    price = tariff.at(given)
    read = min(max(0, call.cached_tokens or 0), given)
    written = min(max(0, call.cache_write_tokens or 0), given - read)
    total = (given - read - written) * price.input
    total += read * (price.input if price.cache_read is None else price.cache_read)
    total += written * (price.input if price.cache_write is None else price.cache_write)
    if isinstance(price, Rate):
        thought = min(max(0, call.reasoning_tokens or 0), made) if price.reasoning is not None else 0
        total += price.request + thought * (price.reasoning or 0)
        made -= thought
    return round(total + made * price.output)


def estimate(price: Price, tokens_in: int, max_tokens: int | None) -> int:
    """Return the nano-USD that a call may cost at most, before it is made: what a budget reserves."""
    fixed = price.request if isinstance(price, Rate) else 0.0
    return math.ceil(fixed + tokens_in * price.input + (max_tokens or 0) * price.output)


def _tariff(prices: "types.ModelPrice") -> Tariff | None:
    """Read genai-prices' figures: USD per million, some in steps; None for what is not sold by tokens."""
    if prices.input_mtok is None and prices.output_mtok is None:
        return None
    starts = sorted({tier.start for value in _figures(prices) for tier in getattr(value, "tiers", ())})
    steps = tuple((start, _rate(prices, start)) for start in starts)
    return Tariff(_rate(prices, None), steps)


def _figures(prices: "types.ModelPrice") -> tuple[Any, ...]:
    return (
        prices.input_mtok,
        prices.output_mtok,
        prices.cache_read_mtok,
        prices.cache_write_mtok,
        prices.output_reasoning_mtok,
    )


def _rate(prices: "types.ModelPrice", start: int | None) -> Rate:
    given, made, read, written, thought = (_step(value, start) for value in _figures(prices))
    per_request = _step(prices.requests_kcount, start)
    return Rate(
        input=given or 0.0,
        output=made or 0.0,
        cache_read=read,
        cache_write=written,
        reasoning=thought,
        request=(per_request or 0.0) * 1000,
    )


def _step(value: Any, start: int | None) -> float | None:
    """Return a figure in nano-USD a token for prompts beyond `start`, None being the shortest ones."""
    if value is None:
        return None
    figure = getattr(value, "base", value)
    for tier in getattr(value, "tiers", ()):
        if start is not None and tier.start <= start:
            figure = tier.price
    return float(figure * 1000)
