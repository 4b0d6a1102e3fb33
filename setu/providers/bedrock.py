"""Amazon Bedrock, by its Converse API. Models: docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html.

Ids are those of foundation models (`amazon.nova-lite-v1:0`), of cross-region profiles (`us.anthropic.claude-…`) and
ARNs; most Claude models are to be had by a profile only. A Bedrock API key is a bearer token; without one, requests
are signed with AWS credentials (2026-11).
"""

from setu.dialects.record import Facts
from setu.providers.models import facts
from setu.providers.record import KeySource, Provider, Variable

_NOVA = Facts(
    context=300_000, max_output=10_000, thinking="none", vision=True, tools=True, modalities=("text", "image", "video")
)
_CLAUDE = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-opus-4-5-20251101-v1:0",
    "us.anthropic.claude-sonnet-4-6",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
)

PROVIDER = Provider(
    name="bedrock",
    base_url="https://bedrock-runtime.{region}.amazonaws.com",
    dialects=("bedrock",),
    # docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
    keys=(KeySource(env="AWS_BEARER_TOKEN_BEDROCK", scheme="bearer"),),
    credentials="aws",
    variables={"region": Variable(env=("AWS_REGION", "AWS_DEFAULT_REGION"), default="us-east-1")},
    models={model: facts(model) for model in _CLAUDE}
    | {
        "us.amazon.nova-pro-v1:0": _NOVA,
        "us.amazon.nova-lite-v1:0": _NOVA,
        "us.amazon.nova-micro-v1:0": Facts(
            context=128_000, max_output=10_000, thinking="none", vision=False, tools=True, modalities=("text",)
        ),
        "openai.gpt-oss-120b-1:0": facts("gpt-oss-120b"),
    },
    families=(
        *("anthropic.*", "amazon.*", "meta.*", "mistral.*", "cohere.*", "ai21.*", "deepseek.*", "openai.gpt-oss-*"),
        *("qwen.*", "us.*.*", "eu.*.*", "apac.*.*", "au.*.*", "jp.*.*", "ca.*.*", "us-gov.*.*", "global.*.*"),
        "arn:aws*:bedrock:*",
    ),
    owned_by="amazon",
    docs="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
    unconfirmed=("the page was not opened: paths and bodies are those of recorded exchanges and of botocore",),
)
