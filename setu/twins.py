"""Translations that were recorded from both sides, made once more: an offline test of the translators.

The client's recorded request goes through the gateway, the provider's recorded answer stands behind it; what the
gateway sends and what the client gets must be what they were.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from setu import build
from setu.cassette.contrast import of_answers, of_requests
from setu.cassette.drift import Drift
from setu.cassette.match import model_of, route_of
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.cassette.script import Script, script_of
from setu.cassette.shape import PLACEHOLDER
from setu.chat.fold import fold
from setu.chat.ids import Mint, counter
from setu.chat.parts import Inline
from setu.config.model import Config
from setu.dialects.registry import DIALECTS
from setu.errors import NoMatchError, SetuError
from setu.framing.kinds import DECODERS
from setu.http import Ending, Exchange, Request, Response
from setu.providers.deployment import Deployment, url
from setu.studio import volatile
from setu.transport.play import Playlist
from setu.transport.record import Record

_CREATED = re.compile(rb'"created(?:_at)?": ?(\d{9,11})\b')


class Pair(NamedTuple):
    """The client's side of a call, and what was sent to providers for it, in order."""

    client: Interaction
    natives: tuple[Interaction, ...]


class Outcome(NamedTuple):
    """What has become of a pair; `skipped` says why it was not tried."""

    pair: Pair
    drifts: Sequence[Drift] = ()
    skipped: str = ""


def pairs_of(interactions: Iterable[Interaction]) -> tuple[list[Pair], list[tuple[Interaction, str]]]:
    """Put twins together, in the order of the client's sides; the rest are client's sides without one, and why.

    A name that was given again, by another run into the same directory, links the first of each side, then the second.
    """
    sides: defaultdict[str, tuple[list[Interaction], list[Interaction]]] = defaultdict(lambda: ([], []))
    for each in interactions:
        if each.recording.twin is not None:
            sides[each.recording.twin][each.recording.side == "upstream"].append(each)
    pairs: list[Pair] = []
    alone: list[tuple[Interaction, str]] = []
    for clients, natives in sides.values():
        share, rest = divmod(len(natives), len(clients)) if clients else (0, 0)
        if clients and (rest or not share):
            reason = f"{len(natives)} recordings of the provider's side for {len(clients)} of the client's"
            alone += [(client, reason) for client in clients]
            continue
        pairs += [Pair(one, tuple(natives[at * share : (at + 1) * share])) for at, one in enumerate(clients)]
    return pairs, alone


async def regress(
    pairs: Iterable[Pair], deployed: Mapping[str, Deployment], config: Config | None = None
) -> AsyncIterator[Outcome]:
    """Make each recorded translation again, the shorter requests first.

    A later turn of a conversation is longer, and may need what the gateway kept of the one before it (its seals).
    """
    bench = _Bench(deployed, config or Config())
    for pair in sorted(pairs, key=lambda pair: len(_bodies(pair.client)[0])):
        provider = _provider(pair.natives[0], deployed)
        reason = _reason(pair, provider)
        yield Outcome(pair, skipped=reason) if reason else await bench.run(pair, provider)


class _Bench:
    """One gateway for all pairs, whose time, identifiers and upstream are those of the pair in hand."""

    def __init__(self, deployed: Mapping[str, Deployment], config: Config) -> None:
        self._clock = _Then()
        self._behind = _Behind()
        self._media = _NoMedia()
        self._mint: Mint = counter()
        gateway = build.gateway(
            deployed,
            self._behind,
            config=config,
            media=self._media,
            clock=self._clock,
            mint=self._fresh,
            on_call=lambda _: None,
        )
        self._record = Record(
            gateway, lambda _: None, self._clock, lambda: "", lambda _: None, volatile=volatile(), side="client"
        )

    async def run(self, pair: Pair, provider: str) -> Outcome:
        want = pair.client.exchange
        self._clock.at = _created(want.body)
        self._mint = _minted_before(want.body)
        self._media.wanted = ""
        self._behind.play([_script(each, pair.client) for each in pair.natives])
        headers = want.request.headers.copy()
        headers.set("x-setu-provider", provider)
        found = await self._record.observe(msgspec.structs.replace(want.request, origin="", headers=headers))
        if self._media.wanted:
            return Outcome(pair, skipped=f"it needs {self._media.wanted} from the network")
        return Outcome(pair, [*self._sent(pair), *of_answers(pair.client, found, _folded)])

    def _fresh(self, prefix: str) -> str:
        return self._mint(prefix)

    def _sent(self, pair: Pair) -> list[Drift]:
        received = self._behind.received
        drifts: list[Drift] = []
        for index, native in enumerate(pair.natives):
            drifts += of_requests(native, received[index] if index < len(received) else None)
        for more in received[len(pair.natives) :]:
            message = "one more request was sent than was recorded"
            drifts.append(
                Drift(level="error", place=pair.client.place, pointer="request", message=message, got=more.url)
            )
        return drifts


class _Behind:
    """The providers: they give the recorded answers."""

    def __init__(self) -> None:
        self._playing = Playlist((), build.SystemClock())

    def play(self, scripts: list[Script]) -> None:
        self._playing = Playlist(scripts, build.SystemClock())

    @property
    def received(self) -> Sequence[Request]:
        return self._playing.received

    async def send(self, request: Request) -> Response:
        return await self._playing.send(request)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""


class _Then(build.SystemClock):
    """A clock that shows when a recording was made."""

    at = 0.0

    def now(self) -> float:
        return self.at


class _NoMedia:
    """Fetches nothing, and keeps what it should have."""

    wanted = ""

    async def fetch(self, url: str) -> Inline:
        self.wanted = url
        raise NoMatchError("nothing is fetched here")


def _minted_before(answer: bytes) -> Mint:
    """Return a mint that gives the identifiers of an answer out again; after those it counts."""
    text = answer.decode("latin-1")
    fresh = counter()
    left: dict[str, list[str]] = {}

    def mint(prefix: str) -> str:
        if prefix not in left:
            # A dialect may put its own prefix before one that was minted: toolu_setu_call_….
            found = re.findall(rf"{re.escape(prefix) or r'(?<![0-9A-Za-z])'}[0-9a-f]{{24}}(?![0-9A-Za-z])", text)
            left[prefix] = list(dict.fromkeys(found))
        return left[prefix].pop(0) if left[prefix] else fresh(prefix)

    return mint


def _created(answer: bytes) -> float:
    found = _CREATED.search(answer)
    return float(found[1]) if found is not None else 0.0


def _script(native: Interaction, client: Interaction) -> Script:
    """Return a provider's answer; one that the gateway left when it had all it needed ends as the client's did."""
    if native.exchange.end is Ending.CLOSED_BY_CLIENT:
        native = msgspec.structs.replace(
            native, exchange=msgspec.structs.replace(native.exchange, end=client.exchange.end)
        )
    return script_of(native)


def _provider(native: Interaction, deployed: Mapping[str, Deployment]) -> str:
    """Return the provider that a request went to; the one whose base URL is the longest; empty where there is none."""
    request = native.exchange.request
    bases = {name: url(deployment, "/") for name, deployment in deployed.items() if _speaks(deployment, native)}
    fitting = {
        name: path
        for name, (origin, path) in bases.items()
        if origin == request.origin and request.path.startswith(path)
    }
    return max(fitting, key=lambda name: len(fitting[name]), default="")


def _speaks(deployment: Deployment, native: Interaction) -> bool:
    model = model_of(native.exchange.request) or ""
    spoken = (*deployment.provider.dialects, *deployment.provider.speaks.values())
    return deployment.callable and (native.recording.dialect in spoken or not model)


def _reason(pair: Pair, provider: str) -> str:
    """Return why a translation cannot be made again; empty when it can."""
    sides = (pair.client, *pair.natives)
    if pair.client.exchange.end is Ending.CLOSED_BY_CLIENT:
        return "the client left before the end"
    if any(each.recording.provenance == "reconstructed" for each in sides):
        return "it is reconstructed, not recorded"
    if any(f'"{PLACEHOLDER}'.encode() in body for each in sides for body in _bodies(each)):
        return "its media were not kept"
    if not provider:
        return f"no provider is configured at {pair.natives[0].exchange.request.origin} (--config FILE says more)"
    return ""


def _bodies(interaction: Interaction) -> tuple[bytes, bytes]:
    asked = interaction.exchange.request.body
    assert isinstance(asked, bytes)
    return asked, interaction.exchange.body


def _folded(exchange: Exchange) -> Any:
    """Return what a stream of a chat amounts to; None for anything else, or what no decoder takes."""
    route = route_of(exchange.request)
    framing = framing_of(exchange)
    codec = DIALECTS[route.dialect].upstream.get("chat") if route is not None and route.dialect in DIALECTS else None
    if route is None or route.operation != "chat" or framing == "json" or codec is None:
        return None
    frames, decoder = DECODERS[framing](), codec.decoder(counter())
    try:
        heard = [event for frame in (*frames.feed(exchange.body), *frames.close()) for event in decoder.feed(frame)]
        return _plain(msgspec.to_builtins(fold([*heard, *decoder.close()]), builtin_types=(bytes,), enc_hook=repr))
    except SetuError:
        return None


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; JSON that was kept as it came stays text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
