"""Acme's models behind Setu: one row of data, and the recordings beside it that hold it to its word."""

from setu.dialects.record import Facts
from setu.providers import quirks
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="acme",
    base_url="https://api.acme.example/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="ACME_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"max_completion_tokens", "stream_usage"}),
    quirks=(
        # A 400 at Acme: "logit_bias is not supported".
        Quirk(
            dialect="openai_chat",
            source="https://docs.acme.example/errors",
            proof="setu_acme/cassettes/openai_chat/error-400.yaml",
            request=quirks.without("logit_bias"),
        ),
    ),
    models={"anvil-2": Facts(context=128_000, max_output=16_384), "anvil-2-mini": Facts(context=32_000)},
    owned_by="acme",
    docs="https://docs.acme.example/",
)
