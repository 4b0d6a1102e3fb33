"""What routing takes and what it gives: a question, how the hosts stand, and a plan."""

from collections.abc import Mapping

import msgspec

from setu.chat.response import Usage
from setu.dialects.record import Operation
from setu.providers.deployment import Deployment
from setu.resilience.ledger import Standing


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What routing may look at in a request.

    `provider` is the one that the client names and `named_by` how (`x-setu-provider`, `?provider=`, …); `directive` is
    the model string of a directive comment. `tokens` is the prompt's estimated length; `needs` what the target must
    be able to do (`tools`, `vision`, `audio`, `files`, `json_schema`); `require` the tags (`region:eu`, `tag:gdpr`)
    that a key or a rule demands of every target. `sticky` is what a split hashes, so that one user stays on one side.
    """

    model: str | None
    operation: Operation = "chat"
    dialect: str = "openai_chat"
    stream: bool = False
    provider: str | None = None
    named_by: str = ""
    fallbacks: tuple[str, ...] = ()
    strategy: str | None = None
    directive: str | None = None
    use_case: str | None = None
    tenant: str = ""
    key: str = ""
    metadata: Mapping[str, str] = {}
    tokens: int = 0
    max_tokens: int | None = None
    needs: frozenset[str] = frozenset()
    require: frozenset[str] = frozenset()
    sticky: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment and its own name for the model.

    `options` are sampling options that the model string sets, by their canonical names (`temperature`, `effort`);
    `members` are raw top-level members for the upstream's body (OpenRouter's `provider`). `timeout` is in seconds and
    `attempts` the total of tries where the route says so.
    """

    deployment: Deployment
    model: str
    options: Mapping[str, object] = {}
    members: Mapping[str, bytes] = {}
    timeout: float | None = None
    attempts: int | None = None

    @property
    def name(self) -> str:
        """Return `provider/model`, as people name it."""
        return f"{self.deployment.name}/{self.model}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The targets in the order in which they are tried, and why.

    `rule` is the name of the route or rule that chose them; `policy` is the strategy that ordered them; `rotate` names
    the counter that a round robin still has to be turned by: the first `ring` targets take turns
    (`strategies.rotated`), and `alone` leaves only the one whose turn it is.
    `scores` says what each target's score was, by its name; `mirrors` get a copy whose answer nobody waits for.
    `confidence` is how sure the choice of the provider is: 1 when the request names it, less when it was inferred.
    """

    targets: tuple[Target, ...]
    reason: str
    rule: str = ""
    policy: str = "priority"
    rotate: str | None = None
    ring: int = 0
    alone: bool = False
    confidence: float = 1.0
    scores: Mapping[str, float] = {}
    mirrors: tuple[Target, ...] = ()
    hedge: float | None = None

    @property
    def first(self) -> Target:
        return self.targets[0]

    @property
    def deployment(self) -> Deployment:
        return self.first.deployment

    @property
    def model(self) -> str:
        return self.first.model


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """Nano-USD a token."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None

    def of(self, usage: Usage) -> int:
        """Return what an answer cost, in nano-USD; cached tokens are part of the input."""
        cached, written = usage.cache_read or 0, usage.cache_write or 0
        plain = max(0, (usage.input or 0) - cached - written)
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        return round(plain * self.input + cached * read + written * write + (usage.output or 0) * self.output)


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that changes between two requests, as values: so that a decision can be made again.

    `standing` is by deployment name; `prices` by `provider/model`; `draw` is a random number in [0, 1); `now` is in
    seconds since the epoch.
    """

    standing: Mapping[str, Standing] = {}
    prices: Mapping[str, Price] = {}
    draw: float = 0.0
    now: float = 0.0
