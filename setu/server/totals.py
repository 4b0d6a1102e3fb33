"""What the gateway has done since it started, for GET /v1/metrics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from setu.server.admin_gateway import ProviderHealth
from setu.signals import Call


class Totals:
    """Counts calls as they end: a few additions each. What failed is what the client got an error or half of."""

    def __init__(self) -> None:
        self._total = 0
        self._failed = 0
        self._milliseconds = 0
        self._decisions = 0
        self._policies: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._cache: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """Count a call that is over."""
        self._total += 1
        self._failed += call.status >= 400 or call.end != "complete"
        self._milliseconds += call.duration_ms
        if call.provider:
            self._decisions += 1
            self._policies[call.policy or call.route or "unknown"] += 1
        for attempt in call.attempts:
            if attempt.outcome != "ok":
                self._errors[attempt.provider] += 1
        if call.cache:
            self._cache[call.cache] += 1

    def report(
        self, providers: Sequence[ProviderHealth], now: float, cache: Mapping[str, int] | None = None
    ) -> dict[str, Any]:
        """Return the document. Latencies are in milliseconds; `cache` says how many answers it holds, of how many."""
        healthy = sum(provider.usable for provider in providers)
        latencies = [provider.latency * 1000 for provider in providers if provider.latency is not None]
        hits, misses = self._cache["hit"], self._cache["miss"]
        return {
            "requests": {
                "total": self._total,
                "successful": self._total - self._failed,
                "failed": self._failed,
                "average_latency": _share(self._milliseconds, self._total),
                "error_rate": _share(self._failed, self._total),
            },
            "providers": {
                "total": len(providers),
                "healthy": healthy,
                "unhealthy": len(providers) - healthy,
                "average_latency": _share(sum(latencies), len(latencies)),
                "total_errors": self._errors.total(),
            },
            "routing": {"total_decisions": self._decisions, "policy_usage": dict(self._policies)},
            "cache": {
                "hits": hits,
                "misses": misses,
                "hit_rate": _share(hits, hits + misses),
                **(cache or {"size": 0, "max_size": 0}),
            },
            "timestamp": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _share(part: float, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
