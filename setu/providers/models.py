"""What is known of models by their names, whoever serves them.

Hosts call one model many things (`claude-sonnet-4-5@20250929`, `openai/gpt-4o`, `accounts/fireworks/models/…`): a
pattern matches the last step of an id, in lower case, and the first that does wins. A number that no page states is
left out rather than guessed; a configured `[providers.x.models]` table wins over all of this.

Sources, 2026-11: platform.openai.com/docs/models; docs.claude.com/en/docs/about-claude/models (Opus 4.7 and later think
adaptively and refuse sampling and prefill; from 4.8 system turns may stand between messages);
ai.google.dev/gemini-api/docs/models; docs.mistral.ai/getting-started/models; docs.x.ai/docs/models;
api-docs.deepseek.com/guides/thinking_mode; console.groq.com/docs/reasoning; docs.z.ai/guides/capabilities/thinking;
platform.moonshot.ai/docs; docs.perplexity.ai/getting-started/models.
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
# Sonnet and Opus 4.6 and later answer a prefill with a 400 (B-MSG-14).
_CLAUDE_46 = msgspec.structs.replace(_CLAUDE_4, prefill=False)
_OPUS_47 = msgspec.structs.replace(
    _CLAUDE_46, context=1_000_000, max_output=128_000, thinking="adaptive", sampling="none"
)
_CLAUDE_5 = msgspec.structs.replace(_OPUS_47, system_turns=True)
_GEMINI_3 = Facts(
    context=1_048_576,
    max_output=65_536,
    thinking="effort",
    efforts=("low", "high"),
    vision=True,
    tools=True,
    modalities=_ALL,
)
_GEMINI_25 = Facts(context=1_048_576, max_output=65_536, thinking="budget", vision=True, tools=True, modalities=_ALL)
_GEMINI_20 = msgspec.structs.replace(_GEMINI_25, max_output=8_192, thinking="none")
_MISTRAL = Facts(thinking="none", vision=True, tools=True, modalities=_SEEN)
# Mistral's adjustable models take `none` or `high` and nothing else (B-PRM-12).
_MISTRAL_THINKS = msgspec.structs.replace(_MISTRAL, thinking="effort", efforts=("none", "high"))
_TEXT = Facts(vision=False, tools=True, modalities=("text",))
_SILENT = msgspec.structs.replace(_TEXT, thinking="none")
_DEEPSEEK_4 = msgspec.structs.replace(_TEXT, context=1_048_576, thinking="effort", efforts=("low", "high", "max"))
_GROK = Facts(thinking="none", vision=True, tools=True, modalities=_SEEN)
_GROK_MINI = Facts(
    context=131_072, thinking="effort", efforts=("low", "high"), vision=False, tools=True, modalities=("text",)
)
_SONAR = Facts(context=128_000, thinking="none", vision=True, tools=False, modalities=_SEEN)
_VISUAL = Facts(vision=True, tools=True, modalities=_SEEN)

TABLE: tuple[tuple[str, Facts], ...] = (
    ("gpt-oss*", _GPT_OSS),
    ("gpt-5*", _GPT5),
    ("gpt-4.1*", _GPT41),
    ("gpt-4o*", _GPT4),
    ("chatgpt-4o*", _GPT4),
    ("gpt-3.5*", _GPT35),
    ("gpt-35*", _GPT35),
    ("o[134]*", _O),
    ("*claude-opus-4-7*", _OPUS_47),
    ("*claude-opus-4-8*", _CLAUDE_5),
    ("*claude-opus-5*", _CLAUDE_5),
    ("*claude-sonnet-5*", _CLAUDE_5),
    ("*claude-haiku-5*", _CLAUDE_5),
    ("*claude-opus-4[-.]6*", _CLAUDE_46),
    ("*claude-sonnet-4[-.]6*", _CLAUDE_46),
    ("*claude-opus-4[-.]5*", _CLAUDE_4),
    ("*claude-opus-4*", _OPUS_4),
    ("*claude-sonnet-4*", _CLAUDE_4),
    ("*claude-haiku-4*", _CLAUDE_4),
    ("*claude-3[-.]7*", _CLAUDE_4),
    ("*claude-3[-.]5*", _CLAUDE_35),
    ("*claude-3*", _CLAUDE_3),
    ("gemini-3*", _GEMINI_3),
    ("gemini-2.5*", _GEMINI_25),
    ("gemini-2.0*", _GEMINI_20),
    ("mistral-small-latest", _MISTRAL_THINKS),
    ("mistral-medium-latest", _MISTRAL_THINKS),
    ("magistral*", msgspec.structs.replace(_MISTRAL, thinking=None)),
    ("codestral*", _SILENT),
    ("devstral*", _SILENT),
    ("mistral-*", _MISTRAL),
    ("ministral-*", _MISTRAL),
    ("pixtral-*", _MISTRAL),
    ("deepseek-v4*", _DEEPSEEK_4),
    ("deepseek-chat", msgspec.structs.replace(_TEXT, context=131_072)),
    ("deepseek-reasoner", msgspec.structs.replace(_TEXT, context=131_072)),
    ("deepseek-r1*", _TEXT),
    ("grok-3-mini*", _GROK_MINI),
    ("grok-code*", msgspec.structs.replace(_GROK, vision=False, modalities=("text",))),
    ("grok-[34]*", _GROK),
    ("kimi-k2.[5-9]*", msgspec.structs.replace(_VISUAL, context=262_144)),
    ("kimi-k2*", msgspec.structs.replace(_TEXT, context=262_144)),
    ("glm-4.[56]v*", _VISUAL),
    ("glm-*", _TEXT),
    ("sonar-deep-research", msgspec.structs.replace(_SONAR, thinking="effort", efforts=("low", "medium", "high"))),
    ("sonar-reasoning*", msgspec.structs.replace(_SONAR, thinking=None)),
    ("sonar*", _SONAR),
    ("*llama-4-*", msgspec.structs.replace(_VISUAL, thinking="none")),
    ("*llama-3.2-*-vision*", msgspec.structs.replace(_VISUAL, thinking="none")),
    ("*llama-3*", _SILENT),
    ("*llama3*", _SILENT),
    ("qwen*-vl-*", _VISUAL),
)


def facts(model: str) -> Facts:
    """Return what is known of a model by its name; nothing for a name no pattern matches."""
    name = model.lower().rpartition("/")[2]
    return next((found for pattern, found in TABLE if fnmatchcase(name, pattern)), Facts())


def known(*models: str) -> dict[str, Facts]:
    """Return listed ids with their facts, for a provider's row."""
    return {model: facts(model) for model in models}
