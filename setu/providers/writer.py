"""Writer (Palmyra). Its chat endpoint is `/v1/chat`."""

from setu.providers.models import known
from setu.providers.record import KeySource, Path, Provider

PROVIDER = Provider(
    name="writer",
    base_url="https://api.writer.com/v1",
    dialects=("openai_chat",),
    paths={"openai_chat": {"chat": Path(plain="/chat")}},
    keys=(KeySource(env="WRITER_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"stream_usage"}),
    models=known("palmyra-x5", "palmyra-x4"),
    families=("palmyra-*",),
    owned_by="writer",
    docs="https://dev.writer.com/api-reference/completion-api/chat-completion",
    unconfirmed=(
        "the page was not opened: address and members are those of recorded exchanges",
        "palmyra-x5",
    ),
)
