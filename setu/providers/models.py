"""What is known of models by their names, whoever serves them.

Hosts call one model many things (`claude-sonnet-4-5@20250929`, `openai/gpt-4o`, `accounts/fireworks/models/…`): a
pattern matches the last step of an id, in lower case, and the first that does wins. A number that no page states is
left out rather than guessed; a configured `[providers.x.models]` table wins over all of this.

Opened on 2026-11-20: platform.claude.com/docs (models/opus-5, models/sonnet-5-5), OpenRouter's migration guide to
Claude 5.5 (sampling and prefill are gone), docs.cloud.google.com/vertex-ai/generative-ai/docs/thinking (levels),
api-docs.deepseek.com/guides/thinking_mode, docs.x.ai/guides/reasoning, docs.z.ai/guides/capabilities/thinking,
docs.together.ai/docs/glm-5.3-quickstart. Every other number, and which model sees, is LiteLLM's
`model_prices_and_context_window.json` of 1.109, a secondary source; what neither has is None.
"""

from fnmatch import fnmatchcase

import msgspec

from setu.dialects.record import Facts

_SEEN = ("text", "image")
_ALL = ("text", "image", "audio", "video", "document")
_PAGES = ("text", "image", "document")

_GPT35 = Facts(context=16_385, max_output=4_096, thinking="none", vision=False, tools=True, modalities=("text",))
_GPT4 = Facts(context=128_000, max_output=16_384, thinking="none", vision=True, tools=True, modalities=_PAGES)
_GPT41 = msgspec.structs.replace(_GPT4, context=1_047_576, max_output=32_768)
_GPT5 = Facts(
    context=400_000,
    max_output=128_000,
    thinking="effort",
    efforts=("minimal", "low", "medium", "high"),
    vision=True,
    tools=True,
    modalities=_PAGES,
)
# `minimal` was GPT-5's own; 5.1 took `none` in its place, 5.2 added `xhigh`.
_GPT51 = msgspec.structs.replace(_GPT5, efforts=("none", "low", "medium", "high"))
_GPT52 = msgspec.structs.replace(_GPT5, efforts=("none", "low", "medium", "high", "xhigh"))
_GPT54 = msgspec.structs.replace(_GPT52, context=1_050_000)
_GPT5_PRO = msgspec.structs.replace(_GPT5, max_output=272_000, efforts=())
_GPT5_CHAT = msgspec.structs.replace(_GPT4, thinking=None)
_O = Facts(
    context=200_000,
    max_output=100_000,
    thinking="effort",
    efforts=("low", "medium", "high"),
    vision=True,
    tools=True,
    modalities=_PAGES,
)
_GPT_OSS = Facts(
    context=131_072,
    thinking="effort",
    efforts=("low", "medium", "high"),
    vision=False,
    tools=True,
    modalities=("text",),
)
_CLAUDE_3 = Facts(
    context=200_000, max_output=4_096, thinking="none", vision=True, tools=True, prefill=True, modalities=_PAGES
)
_CLAUDE_35 = msgspec.structs.replace(_CLAUDE_3, max_output=8_192)
_CLAUDE_4 = msgspec.structs.replace(_CLAUDE_3, max_output=64_000, thinking="budget")
_OPUS_4 = msgspec.structs.replace(_CLAUDE_4, max_output=32_000)
# Sonnet and Opus 4.6 and later answer a prefill with a 400 (B-MSG-14). Sonnet's cap is 128,000 on Anthropic's own API,
# but 64,000 on Vertex: the lower one holds on both.
_CLAUDE_46 = msgspec.structs.replace(_CLAUDE_4, context=1_000_000, prefill=False)
_OPUS_46 = msgspec.structs.replace(_CLAUDE_46, max_output=128_000)
_OPUS_47 = msgspec.structs.replace(
    _CLAUDE_46, context=1_000_000, max_output=128_000, thinking="adaptive", sampling="none"
)
_CLAUDE_5 = msgspec.structs.replace(_OPUS_47, system_turns=True)
_CLAUDE_NEW = msgspec.structs.replace(_OPUS_47, sampling=None, prefill=None)
_GEMINI_3 = Facts(
    context=1_048_576,
    max_output=65_536,
    thinking="effort",
    efforts=("low", "high"),
    vision=True,
    tools=True,
    modalities=_ALL,
)
_GEMINI_31 = msgspec.structs.replace(_GEMINI_3, efforts=("low", "medium", "high"))
_GEMINI_FLASH = msgspec.structs.replace(_GEMINI_3, efforts=("minimal", "low", "medium", "high"))
_GEMINI_25 = Facts(context=1_048_576, max_output=65_536, thinking="budget", vision=True, tools=True, modalities=_ALL)
_GEMINI_20 = msgspec.structs.replace(_GEMINI_25, max_output=8_192, thinking="none")
_MISTRAL = Facts(context=262_144, thinking="none", vision=True, tools=True, modalities=_SEEN)
# Mistral's adjustable models take `none` or `high` and nothing else (B-PRM-12).
_MISTRAL_THINKS = msgspec.structs.replace(_MISTRAL, thinking="effort", efforts=("none", "high"))
_TEXT = Facts(vision=False, tools=True, modalities=("text",))
_SILENT = msgspec.structs.replace(_TEXT, thinking="none")
_VISUAL = Facts(vision=True, tools=True, modalities=_SEEN)
_LOW_HIGH_MAX = ("low", "high", "max")
_DEEPSEEK_4 = msgspec.structs.replace(
    _TEXT, context=1_000_000, max_output=393_216, thinking="effort", efforts=_LOW_HIGH_MAX
)
# Flash has learned to see; whether every alias of it has is not said.
_DEEPSEEK_FLASH = msgspec.structs.replace(_DEEPSEEK_4, vision=None, modalities=())
_GROK = Facts(thinking="none", vision=True, tools=True, modalities=_SEEN)
_GROK_45 = msgspec.structs.replace(_GROK, context=500_000, thinking="effort", efforts=("low", "medium", "high"))
_GROK_43 = msgspec.structs.replace(_GROK_45, context=1_000_000, efforts=("none", "low", "medium", "high"))
_GROK_MINI = Facts(
    context=131_072, thinking="effort", efforts=("low", "high"), vision=False, tools=True, modalities=("text",)
)
_GLM_5 = msgspec.structs.replace(_TEXT, context=200_000, max_output=128_000)
_GLM_53 = msgspec.structs.replace(_GLM_5, context=1_000_000, thinking="effort", efforts=_LOW_HIGH_MAX)
_KIMI_3 = msgspec.structs.replace(_VISUAL, context=1_048_576, thinking="effort", efforts=_LOW_HIGH_MAX)
_SONAR = Facts(context=128_000, thinking="none", vision=True, tools=False, modalities=_SEEN)

TABLE: tuple[tuple[str, Facts], ...] = (
    ("gpt-oss*", _GPT_OSS),
    ("gpt-5*-chat*", _GPT5_CHAT),
    ("gpt-5-pro*", _GPT5_PRO),
    ("gpt-5.[56]*", _GPT54),
    ("gpt-5.4-mini*", _GPT52),
    ("gpt-5.4-nano*", _GPT52),
    ("gpt-5.4*", _GPT54),
    ("gpt-5.[23]*", _GPT52),
    ("gpt-5.1*", _GPT51),
    ("gpt-5*", _GPT5),
    ("gpt-4.1*", _GPT41),
    ("gpt-4o*-audio*", msgspec.structs.replace(_GPT4, vision=False, modalities=("text", "audio"))),
    ("gpt-4o*", _GPT4),
    ("chatgpt-4o*", _GPT4),
    ("gpt-3.5*", _GPT35),
    ("gpt-35*", _GPT35),
    ("o3-mini*", msgspec.structs.replace(_O, vision=False, modalities=("text",))),
    ("o[134]*", _O),
    ("*claude-opus-4-7*", _OPUS_47),
    ("*claude-opus-4-8*", _CLAUDE_5),
    ("*claude-opus-5*", _CLAUDE_5),
    ("*claude-sonnet-5*", _CLAUDE_5),
    ("*claude-haiku-5*", _CLAUDE_5),
    ("*claude-fable-5*", _CLAUDE_NEW),
    ("*claude-mythos*", _CLAUDE_NEW),
    ("*claude-opus-4[-.]6*", _OPUS_46),
    ("*claude-sonnet-4[-.]6*", _CLAUDE_46),
    ("*claude-opus-4[-.]5*", _CLAUDE_4),
    ("*claude-opus-4*", _OPUS_4),
    ("*claude-sonnet-4*", _CLAUDE_4),
    ("*claude-haiku-4*", _CLAUDE_4),
    ("*claude-3[-.]7*", _CLAUDE_4),
    ("*claude-3[-.]5*", _CLAUDE_35),
    ("*claude-3*", _CLAUDE_3),
    ("gemini-3-pro*", _GEMINI_3),
    ("gemini-3.1-pro*", _GEMINI_31),
    ("gemini-3.[78]-flash", _GEMINI_31),
    ("gemini-3*", _GEMINI_FLASH),
    ("gemini-2.5*", _GEMINI_25),
    ("gemini-2.0*", _GEMINI_20),
    ("mistral-small-latest", _MISTRAL_THINKS),
    ("mistral-small-2603", _MISTRAL_THINKS),
    ("mistral-medium-latest", _MISTRAL_THINKS),
    ("mistral-medium-3[-.]5", _MISTRAL_THINKS),
    ("mistral-medium-2604", _MISTRAL_THINKS),
    ("magistral*", msgspec.structs.replace(_MISTRAL, thinking=None)),
    ("mistral-large-4*", msgspec.structs.replace(_MISTRAL, context=1_048_576, thinking=None)),
    ("codestral*", msgspec.structs.replace(_SILENT, context=128_000)),
    ("devstral*", msgspec.structs.replace(_TEXT, context=256_000)),
    ("ministral-3b*", msgspec.structs.replace(_MISTRAL, context=131_072)),
    ("pixtral-*", msgspec.structs.replace(_MISTRAL, context=128_000)),
    ("mistral-*", _MISTRAL),
    ("ministral-*", _MISTRAL),
    ("deepseek-v4*flash*", _DEEPSEEK_FLASH),
    ("deepseek-flash*", _DEEPSEEK_FLASH),
    ("deepseek-v4*", _DEEPSEEK_4),
    ("deepseek-chat", msgspec.structs.replace(_TEXT, context=131_072)),
    ("deepseek-reasoner", msgspec.structs.replace(_TEXT, context=131_072)),
    ("deepseek-r1*", _TEXT),
    ("grok-3-mini*", _GROK_MINI),
    ("grok-code*", msgspec.structs.replace(_GROK, vision=False, modalities=("text",))),
    ("grok-4.[5-9]*", _GROK_45),
    ("grok-4.3*", _GROK_43),
    ("grok-4.20*non-reasoning*", msgspec.structs.replace(_GROK, context=1_000_000)),
    ("grok-4.20*", msgspec.structs.replace(_GROK, context=1_000_000, thinking=None)),
    ("grok-[34]*", _GROK),
    ("kimi-k3*", _KIMI_3),
    ("kimi-k2.[5-9]*", msgspec.structs.replace(_VISUAL, context=262_144)),
    ("kimi-k2*", msgspec.structs.replace(_TEXT, context=262_144)),
    ("glm-4.[56]v*", _VISUAL),
    ("glm-5v*", msgspec.structs.replace(_GLM_5, vision=True, modalities=_SEEN)),
    ("glm-5.3-flash*", msgspec.structs.replace(_GLM_53, vision=True, modalities=_SEEN)),
    ("glm-5.3*", _GLM_53),
    ("glm-5.2*", msgspec.structs.replace(_GLM_5, context=1_000_000)),
    ("glm-5*", _GLM_5),
    ("glm-4.[67]*", _GLM_5),
    ("glm-*", _TEXT),
    ("sonar-deep-research", msgspec.structs.replace(_SONAR, thinking="effort", efforts=("low", "medium", "high"))),
    ("sonar-reasoning*", msgspec.structs.replace(_SONAR, thinking=None)),
    ("sonar-pro*", msgspec.structs.replace(_SONAR, context=200_000, max_output=8_000)),
    ("sonar*", _SONAR),
    ("*llama-4-*", msgspec.structs.replace(_VISUAL, thinking="none")),
    ("*llama-3.2-*-vision*", msgspec.structs.replace(_VISUAL, thinking="none")),
    ("*llama-3*", _SILENT),
    ("*llama3*", _SILENT),
    ("qwen*-vl-*", _VISUAL),
    ("qwen3.8-*", _VISUAL),
    ("mimo-v2.5-pro*", _TEXT),
    ("mimo-v2.[56]*", _VISUAL),
)


def facts(model: str) -> Facts:
    """Return what is known of a model by its name; nothing for a name no pattern matches."""
    name = model.lower().rpartition("/")[2]
    return next((found for pattern, found in TABLE if fnmatchcase(name, pattern)), Facts())


def known(*models: str) -> dict[str, Facts]:
    """Return listed ids with their facts, for a provider's row."""
    return {model: facts(model) for model in models}
