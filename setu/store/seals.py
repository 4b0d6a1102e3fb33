"""Seals in memory: bounded, the oldest forgotten first; one tenant never sees or pushes out another's."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from setu.chat.seals import Seal


class MemorySeals:
    """Keep the last `limit` seals by tool call id (a Gemini signature measures 1 KB, 13 KB at most)."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._seals: OrderedDict[str, Seal] = OrderedDict()

    def get(self, call_ids: Iterable[str]) -> Mapping[str, Seal]:
        return {call_id: self._seals[call_id] for call_id in call_ids if call_id in self._seals}

    def put(self, seals: Mapping[str, Seal]) -> None:
        for call_id, seal in seals.items():
            self._seals[call_id] = seal
            self._seals.move_to_end(call_id)
        while len(self._seals) > self._limit:
            self._seals.popitem(last=False)


class TenantSeals:
    """A store for each of the last `tenants` tenants, each bounded by `limit` of its own."""

    def __init__(self, limit: int = 10_000, tenants: int = 1_000) -> None:
        self._limit = limit
        self._tenants = tenants
        self._stores: OrderedDict[str, MemorySeals] = OrderedDict()

    def of(self, tenant: str) -> MemorySeals:
        """Return a tenant's store; the tenant that was away longest makes room for a new one."""
        store = self._stores.setdefault(tenant, MemorySeals(self._limit))
        self._stores.move_to_end(tenant)
        while len(self._stores) > self._tenants:
            self._stores.popitem(last=False)
        return store
