"""SambaNova Cloud."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="sambanova",
    base_url="https://api.sambanova.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="SAMBANOVA_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"stream_usage", "top_k"}),
    models=known("Meta-Llama-3.3-70B-Instruct", "DeepSeek-V3.1", "gpt-oss-120b"),
    families=("Meta-Llama-*",),
    owned_by="sambanova",
    docs="https://docs.sambanova.ai/docs/en/api-reference/chat/create-chat-based-completion",
    unconfirmed=(
        "the page was not opened: the address is that of recorded exchanges, the models are those of LiteLLM 1.109",
        "stream_options and top_k",
    ),
)
