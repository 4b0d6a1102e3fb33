"""What a gateway works with, handed in by the composition root; a reload builds another one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from setu.access.caller import Caller
from setu.access.decide import Rules
from setu.chat.ids import Mint
from setu.chat.parts import Inline
from setu.chat.seals import Seal
from setu.dialects.record import Dialect
from setu.gateway.cache import Cache
from setu.gateway.masking import Options
from setu.gateway.mirror import Mirror
from setu.http import Request
from setu.ports import Clock, Fetcher, SealStore, Transport
from setu.resilience.ledger import Charge, Ledger
from setu.resilience.policy import Resilience, Retry
from setu.routing.plan import Ask, Price, Target
from setu.routing.table import Table
from setu.signals import Call


class Doorkeeper(Protocol):
    """Lets clients in."""

    async def enter(self, request: Request) -> Caller:
        """Return who asks.

        Raises:
            AuthenticationError: nobody who may.
        """
        ...


class Charging(Protocol):
    """Says what a request takes from which limit; empty tuples where there are none."""

    def of_client(self, caller: Caller, ask: Ask, target: Target) -> tuple[Charge, ...]: ...

    def of_target(self, target: Target, ask: Ask) -> tuple[Charge, ...]: ...


async def _at_once() -> None:
    """Wait for nothing."""


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything outside a gateway that it decides or remembers with.

    `seals` gives the store of a tenant; `retry` says how often a target is tried; `prices` knows what a token of a
    provider's model costs, `price_list` that of what routing may choose from, by `provider/model`; after `priced` all
    are known. `resilience` is each provider's policy, by its name. With `passthrough` clients bring their
    providers' keys: one that names no provider means the default one, and anybody is told which providers there are.
    """

    dialects: Mapping[str, Dialect]
    table: Table
    transport: Transport
    ledger: Ledger
    clock: Clock
    draw: Callable[[], float]
    mint: Mint
    call_id: Callable[[], str]
    seals: Callable[[str], SealStore[Seal]]
    retry: Callable[[Target], Retry]
    on_call: Callable[[Call], None]
    resilience: Mapping[str, Resilience] = {}
    charging: Charging | None = None
    policies: Rules = Rules()
    door: Doorkeeper | None = None
    prices: Callable[[str, str], Price | None] = lambda _provider, _model: None
    price_list: Callable[[], Mapping[str, Price]] = dict
    priced: Callable[[], Awaitable[None]] = _at_once
    cache: Cache | None = None
    masks: Options | None = None
    mirror: Mirror | None = None
    mirrored: float = 1.0
    media: Fetcher[Inline] | None = None
    refuses_losses: bool = False
    passthrough: bool = False
    legacy_fields: bool = False
    legacy_events: bool = False
    body_ids: bool = False
    log_bodies: bool = False
