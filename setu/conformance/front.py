"""Setu's own gateway as a subject: on a socket, with the scripted upstream behind it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import tomli
from pydantic import SecretStr

from setu import build
from setu.bundled import data_dir
from setu.chat.ids import counter
from setu.config.access import Auth
from setu.config.model import Config
from setu.conformance.lab import Aim
from setu.conformance.mutants.mutant import Change, unchanged
from setu.conformance.stand import Stand
from setu.conformance.subject import Remote, Subject
from setu.dialects.record import Dialect
from setu.providers.deployment import Deployment
from setu.server.serve import Background
from setu.transport.httpx_ import HttpxTransport

TIMEOUT_SECONDS = 20.0
USAGE_IN_STREAMS = frozenset({"GEM-008", "ANT-005", "ANT-014", "STR-012", "USG-006"})
KEY = "sk-setu-conformance-0123456789"  # opens this one gateway, on the loopback, for as long as it is judged
CAPABILITIES = frozenset(
    {
        "auth",
        "tools",
        "n",
        "stop",
        "logprobs",
        "json_object",
        "json_schema",
        "images",
        "anthropic",
        "gemini",
        "responses",
    }
)
"""What Setu has in front of any upstream: what the upstream lacks, it refuses or names."""


class Front(msgspec.Struct, frozen=True):
    """A subject and what stands behind it; `url` is where others can ask it, too."""

    subject: Subject
    stand: Stand
    url: str


CONFIG = Config(auth=Auth(mode="keys", keys=(SecretStr(KEY),)))


@asynccontextmanager
async def front(
    deployment: Deployment, dialects: Mapping[str, Dialect], *, before: Change = unchanged, behind: Change = unchanged
) -> AsyncIterator[Front]:
    """Serve a gateway to one deployment, and stop it afterwards.

    `before` wraps what faces the client, `behind` what faces the upstream: for mutants.
    """
    clock = build.SystemClock()
    stand = Stand(clock)
    gateway = build.gateway(
        {deployment.name: deployment}, behind(stand), dialects=dialects, mint=counter(), on_call=lambda _call: None
    )
    transport = HttpxTransport(read_timeout=TIMEOUT_SECONDS, verbatim=True)
    with Background(build.app(before(build.guarded(gateway, CONFIG)), CONFIG, dict)) as server:
        try:
            yield Front(Remote(transport, clock, server.url), stand, server.url)
        finally:
            await transport.aclose()


def aim_at(deployment: Deployment, model: str, served: Front) -> Aim:
    """Return what is asked of a deployment behind Setu's gateway."""
    embedding = embedding_model(deployment.provider.name)
    return Aim(
        model=f"{deployment.name}/{model}",
        embedding=None if embedding is None else f"{deployment.name}/{embedding}",
        spoken=deployment.dialect("openai_chat", model),
        capabilities=CAPABILITIES | ({"embeddings"} if embedding is not None else frozenset()),
        headers={"authorization": f"Bearer {KEY}"},
        url=served.url,
        # A host that cannot be asked for the usage of a stream tells none.
        excused=frozenset() if _tells_usage(deployment) else USAGE_IN_STREAMS,
        secrets=(build.OFFLINE_KEY,),
    )


def _tells_usage(deployment: Deployment) -> bool:
    provider = deployment.provider
    return provider.dialects[0] != "openai_chat" or "stream_usage" in provider.capabilities


def embedding_model(provider: str) -> str | None:
    """Return a model of a provider that embeds, None when it has none."""
    table = tomli.loads((data_dir("conformance") / "expected" / "providers.toml").read_text(encoding="utf-8"))
    found = table["embedding"].get(provider)
    return found if isinstance(found, str) else None
