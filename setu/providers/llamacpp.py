"""llama.cpp's `llama-server`: no key unless it was given one; it answers for whatever model it has loaded."""

from setu.providers.record import Provider

PROVIDER = Provider(
    name="llamacpp",
    base_url="http://localhost:8080/v1",
    dialects=("openai_chat",),
    # A template may read earlier `reasoning_content`; usage comes only when asked for.
    capabilities=frozenset({"reasoning_content", "stream_usage", "top_k"}),
    owned_by="llamacpp",
    docs="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
    read="2026-11-20",
    unconfirmed=("that earlier reasoning_content reaches the template",),
)
