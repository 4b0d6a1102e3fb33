"""Azure OpenAI: OpenAI's models as deployments of a resource; a model's name here is its deployment's.

The address is that of the dated API, which every resource and every deployment has. For the newer one without dates set
`base_url` to `https://….openai.azure.com/openai/v1`. A key goes in `api-key`, a Microsoft Entra ID token is a bearer
token. Address, version and environment variables are those of AzureOpenAI in openai-python 3.52.
"""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk, Variable

PROVIDER = Provider(
    name="azure",
    base_url="{endpoint}/openai/deployments/{model}?api-version={api_version}",
    dialects=("openai_chat",),
    keys=(
        KeySource(env="AZURE_OPENAI_API_KEY", scheme="api-key"),
        KeySource(env="AZURE_OPENAI_AD_TOKEN", scheme="bearer"),
    ),
    scheme="api-key",
    variables={
        "endpoint": Variable(
            env=("AZURE_OPENAI_ENDPOINT",), example="https://example.openai.azure.com", reads=quirks.bare
        ),
        "api_version": Variable(env=("OPENAI_API_VERSION",), default="2024-10-21"),
    },
    # Reasoning models refuse `max_tokens`; the newer name is taken by all of them.
    capabilities=frozenset({"stream_usage", "max_completion_tokens"}),
    quirks=(
        Quirk(
            dialect="openai_chat",
            source="https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming",
            proof="dd-trace-py-a377dd5975",
            frame=quirks.azure_frames,
        ),
    ),
    models=known(
        "gpt-5.5",
        "gpt-5.4-mini",
        "gpt-5",
        "gpt-5-mini",
        "gpt-5-nano",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4o",
        "gpt-4o-mini",
    ),
    owned_by="azure",
    docs="https://learn.microsoft.com/azure/foundry/openai/how-to/troubleshoot-errors",
    read="2026-11-20",
    unconfirmed=("that 2024-10-21 is still the newest dated version without preview (it answers)",),
)
