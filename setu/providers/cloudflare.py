"""Cloudflare Workers AI."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Variable

PROVIDER = Provider(
    name="cloudflare",
    base_url="https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="CLOUDFLARE_API_TOKEN", scheme="bearer"), KeySource(env="CLOUDFLARE_API_KEY", scheme="bearer")),
    variables={"account_id": Variable(env=("CLOUDFLARE_ACCOUNT_ID",), example="0")},
    # Accepted, and answered with a usage chunk.
    capabilities=frozenset({"stream_usage"}),
    models=known("@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/openai/gpt-oss-120b"),
    families=("@cf/*", "@hf/*"),
    owned_by="cloudflare",
    docs="https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
    read="2026-11-20",
)
