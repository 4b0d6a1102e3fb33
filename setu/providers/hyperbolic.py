"""Hyperbolic."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="hyperbolic",
    base_url="https://api.hyperbolic.xyz/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="HYPERBOLIC_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"top_k"}),
    models=known("meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Meta-Llama-3.1-405B-Instruct"),
    owned_by="hyperbolic",
    docs="https://docs.hyperbolic.xyz/docs/rest-api",
    unconfirmed=(
        "the page was not opened: address and models are those of recorded exchanges",
        "top_k",
    ),
)
