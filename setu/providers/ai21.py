"""AI21 Labs (Jamba)."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="ai21",
    base_url="https://api.ai21.com/studio/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="AI21_API_KEY", scheme="bearer"),),
    models=known("jamba-large-1.7", "jamba-mini-1.7"),
    families=("jamba-*",),
    owned_by="ai21",
    docs="https://docs.ai21.com/reference/jamba-1-6-api-ref",
    unconfirmed=(
        "the page was not opened: the address is that of recorded exchanges, the models are those of LiteLLM 1.109",
    ),
)
