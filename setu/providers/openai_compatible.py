"""Any host that speaks OpenAI's chat format: vLLM, llama.cpp, LM Studio, a company's own. Base URL and models come
from the configuration.
"""

from setu.providers.record import Provider

PROVIDER = Provider(
    name="openai_compatible",
    base_url="",
    dialects=("openai_chat",),
    scheme="bearer",
    docs="https://github.com/openai/openai-python",
    read="2026-11-20",
)
