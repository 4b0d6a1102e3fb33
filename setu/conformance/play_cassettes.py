"""Run recordings: each is played behind the gateway, to a client of its own dialect and to an OpenAI client."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from setu import _json
from setu.cassette.fault_steps import split
from setu.cassette.match import route_of
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.cassette.script import Script, script_of
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import PAIR_JUDGES
from setu.conformance.tally import Tally
from setu.conformance.target import Target, Wrap, as_it_is
from setu.dialects.record import Dialect, Route
from setu.dialects.record import Target as RenderTarget
from setu.dialects.registry import DIALECTS
from setu.errors import SetuError
from setu.framing.sse import SseDecoder
from setu.gateway.quirk import framed, quirks_of
from setu.http import Exchange, Headers, Request
from setu.providers.deployment import Deployment
from setu.transport.play import Playlist

_PLAYED = ("chat", "embed")
_INPUTS = ("input", "texts", "inputText")
"""Where hosts have what is to be embedded: OpenAI and Ollama, Cohere, Amazon Titan."""

HELLO: Mapping[str, object] = {"messages": [{"role": "user", "content": "hello"}]}


def of_provider(
    interactions: Sequence[Interaction], deployment: Deployment, known_hosts: frozenset[str]
) -> list[Interaction]:
    """Return recordings of chat and embeddings: of the provider's own host, or in its dialect from nobody's host."""
    own = urlsplit(deployment.base_url).netloc
    found = []
    for interaction in interactions:
        request = interaction.exchange.request
        route = route_of(request)
        host = urlsplit(request.origin).netloc
        if route is None or route.operation not in _PLAYED or route.dialect not in deployment.provider.dialects:
            continue
        if host == own or host not in known_hosts:
            found.append(interaction)
    return found


class Stage:
    """Recordings of one provider; `before` and `behind` are what a mutant has broken."""

    def __init__(
        self,
        deployment: Deployment,
        dialects: Mapping[str, Dialect],
        tally: Tally,
        *,
        before: Wrap = as_it_is,
        behind: Wrap = as_it_is,
    ) -> None:
        self._deployment = deployment
        self._dialects = dialects
        self._tally = tally
        self._before = before
        self._behind = behind

    async def run(self, interaction: Interaction) -> None:
        route = route_of(interaction.exchange.request)
        assert route is not None
        if route.operation == "embed":
            await self._embedded(interaction, route)
            return
        if DIALECTS[route.dialect].client:
            await self._native(interaction, route)
        # An OpenAI client's stream is asked for as SSE; a recorded JSON array answers another question.
        if route.dialect != "openai_chat" and route.framing != "jsonarray":
            await self._as_openai(interaction, route)

    async def _native(self, interaction: Interaction, route: Route) -> None:
        """A client of the recording's own dialect gets the recorded bytes."""
        place = f"{interaction.place} (native)"
        recorded = interaction.exchange
        request = self._native_request(recorded, route)
        exchange = await self._through(request, script_of(interaction), route.dialect)
        self._tally.judge(exchange, place, same=True)
        if recorded.end == exchange.end and 200 <= recorded.status < 300 and not _masked(recorded.body):
            found = PAIR_JUDGES["PRX-003"](self._as_passed(recorded), exchange)
            if found is not None:
                self._tally.add("PRX-003", found, place)

    def _as_passed(self, recorded: Exchange) -> Exchange:
        """Return what a client is to get byte for byte: the recording, less what a declared quirk takes out."""
        quirks = [quirk for quirk in quirks_of(self._deployment.provider, "openai_chat") if quirk.frame is not None]
        if not quirks or framing_of(recorded) != "sse":
            return recorded
        decoder = framed(SseDecoder(), quirks)
        frames = (*decoder.feed(recorded.body), *decoder.close())
        return msgspec.structs.replace(recorded, body=b"".join(frame.raw for frame in frames))

    async def _as_openai(self, interaction: Interaction, route: Route) -> None:
        """An OpenAI client asks the same; every check of the OpenAI contract applies to what it gets."""
        place = f"{interaction.place} (as OpenAI)"
        request = self._openai_request(interaction.exchange, route)
        made = script_of(interaction)
        exchange = await self._through(request, made, route.dialect)
        self._tally.judge(exchange, place, same=False)
        if route.stream or _asks_stream(interaction.exchange.request):
            again = await self._through(request, split(3)(made), route.dialect)
            found = [] if again.body == exchange.body else [Finding("XLT-30", "cut elsewhere, the answer changes")]
            self._tally.add("XLT-30", found, place)

    async def _embedded(self, interaction: Interaction, route: Route) -> None:
        """An OpenAI client embeds the same inputs in each encoding, and must get the recorded numbers."""
        recorded = interaction.exchange.request.body
        assert isinstance(recorded, bytes)
        headers = Headers.of({"content-type": "application/json"})
        model = f"{self._deployment.name}/{route.model or _model(recorded)}"
        for form in ("float", "base64"):
            asked = _json.encode({"model": model, "input": _inputs(recorded, route), "encoding_format": form})
            request = Request(method="POST", path="/v1/embeddings", headers=headers, body=asked)
            exchange = await self._through(request, script_of(interaction), route.dialect)
            place = f"{interaction.place} (as OpenAI, {form})"
            self._tally.judge(exchange, place, same=route.dialect == "openai_chat")

    async def _through(self, request: Request, made: Script, dialect: str) -> Exchange:
        deployments = {self._deployment.name: _speaking(self._deployment, dialect)}
        target = Target(
            self._dialects,
            deployments,
            lambda clock: Playlist([made], clock),
            before=self._before,
            behind=self._behind,
        )
        return await target.exchange(request)

    def _native_request(self, recorded: Exchange, route: Route) -> Request:
        """The recorded request, addressed to the gateway. The usage chunk is asked for as recorded."""
        request = recorded.request
        headers = Headers.of({"content-type": "application/json", "x-setu-provider": self._deployment.name})
        path = request.path
        if route.dialect == "openai_chat":
            path = "/v1/chat/completions"
        return Request(method="POST", path=path, query=request.query, headers=headers, body=request.body)

    def _openai_request(self, recorded: Exchange, route: Route) -> Request:
        """The recorded prompt in OpenAI's words; a recorded error stands for itself, whatever was asked."""
        body = recorded.request.body
        assert isinstance(body, bytes)
        stream = bool(route.stream) or _asks_stream(recorded.request)
        model = f"{self._deployment.name}/{route.model or _model(body)}"
        asked = _json.encode({"model": model, **HELLO})
        client = DIALECTS[route.dialect].client.get("chat")
        if client is None:
            asked = _json.encode({"model": model, **HELLO, **_tools(body)})
        elif recorded.status < 400:
            try:
                parsed = client.parse_request(body, route)
                parsed = msgspec.structs.replace(parsed, model=model, stream=stream)
                asked = DIALECTS["openai_chat"].upstream["chat"].render_request(parsed, RenderTarget(model=model)).body
            except SetuError:
                pass  # a recording whose request no parser takes is still an answer to judge
        if stream:
            asked = _json.splice(asked, {"stream": b"true", "stream_options": b'{"include_usage":true}'})
        headers = Headers.of({"content-type": "application/json"})
        return Request(method="POST", path="/v1/chat/completions", headers=headers, body=asked)


def _speaking(deployment: Deployment, dialect: str) -> Deployment:
    """Return the deployment as a host of one dialect: of two that it speaks, the recording answers in one."""
    provider = msgspec.structs.replace(deployment.provider, dialects=(dialect,), speaks={})
    return msgspec.structs.replace(deployment, provider=provider)


def _inputs(body: bytes, route: Route) -> object:
    """Return what was embedded, in OpenAI's words; one text where the recording's form is not known."""
    client = DIALECTS[route.dialect].client.get("embed")
    try:
        if client is None:
            members = _json.decode(body)
            return next((members[name] for name in _INPUTS if name in members), "hello")
        return client.parse_request(body, route).inputs
    except (_json.JsonError, SetuError):
        return "hello"


def _tools(body: bytes) -> dict[str, object]:
    """Return the tools of a request in OpenAI's form, which some dialects have too: a recorded call is of a tool."""
    try:
        members = _json.split(body)
        tools = members.get("tools")
        if "toolConfig" in members:
            return {"tools": _of_converse(_json.decode(members["toolConfig"]))}
    except _json.JsonError:
        return {}
    return {} if tools is None or b'"function"' not in tools else {"tools": _json.Raw(tools)}


def _of_converse(config: dict[str, list[dict[str, dict[str, object]]]]) -> list[dict[str, object]]:
    specs = [tool["toolSpec"] for tool in config["tools"] if "toolSpec" in tool]
    return [{"type": "function", "function": {"name": spec["name"]}} for spec in specs]


def _masked(body: bytes) -> bool:
    """Tell a 200 whose body is an error: the gateway does not pass that on as a success."""
    return body.lstrip()[:9].replace(b" ", b"").startswith(b'{"error"')


def _asks_stream(request: Request) -> bool:
    body = request.body
    assert isinstance(body, bytes)
    try:
        return _json.split(body).get("stream") == b"true"
    except _json.JsonError:
        return False


def _model(body: bytes) -> str:
    try:
        raw = _json.split(body).get("model")
    except _json.JsonError:
        return "model"
    model = _json.decode(raw) if raw is not None else None
    return model if isinstance(model, str) and model else "model"
