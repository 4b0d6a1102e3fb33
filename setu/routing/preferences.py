"""The hosts behind OpenRouter, by the slugs that people write after a model's colon.

Names: openrouter.ai/docs/client-sdks/typescript/models/providername, read 2026-11-21.
"""

from collections.abc import Mapping

_NAMES = """
AI21|AionLabs|AkashML|Alibaba|Amazon Bedrock|Amazon Nova|Ambient|Anthropic|Arcee AI|AtlasCloud|Avian|Azure|Baidu|BaseTen
Black Forest Labs|BytePlus|Cerebras|Chutes|Cirrascale|Clarifai|Cloudflare|Cohere|Crucible|Crusoe|Darkbloom|DeepInfra
DeepSeek|DekaLLM|DigitalOcean|Featherless|Fireworks|Friendli|GMICloud|Google|Google AI Studio|Groq|Inception|Inceptron
Inferact vLLM|InferenceNet|Infermatic|Inflection|Io Net|Ionstream|Liquid|Mancer 2|Mara|Minimax|Mistral|ModelRun|Modular
Moonshot AI|Morph|NCompass|Nebius|Nex AGI|NextBit|Novita|Nvidia|OpenAI|OpenInference|Parasail|Perceptron|Perplexity
Phala|Poolside|Recraft|Reka|Relace|Sakana AI|SambaNova|Seed|SiliconFlow|Sourceful|StepFun|StreamLake|Switchpoint
Tenstorrent|Together|Upstage|Venice|Wafer|WandB|Xiaomi|xAI|Z.AI
"""

_OTHER_SLUGS = {
    "aion-labs": "AionLabs",
    "atlas-cloud": "AtlasCloud",
    "bedrock": "Amazon Bedrock",
    "google-vertex": "Google",
    "mancer": "Mancer 2",
    "moonshotai": "Moonshot AI",
    "vertex": "Google",
    "x-ai": "xAI",
}

HOSTS: Mapping[str, str] = {
    name.lower().replace(" ", "-").replace(".", "-"): name
    for line in _NAMES.split("\n")
    for name in line.split("|")
    if name
} | _OTHER_SLUGS
"""OpenRouter's name of a host, by slug."""

SORTS: Mapping[str, str] = {"nitro": "throughput", "floor": "price"}
"""Suffixes that stand for an order of hosts (openrouter.ai/docs/guides/routing/model-variants/nitro, read 2026-11-21).

All others that OpenRouter knows (`free`, `online`, `thinking`, `extended`, `exacto`) belong to the model's id.
"""
