"""Google Cloud's Vertex AI: Gemini in Gemini's own bodies, Claude in Anthropic's, the model in the path.

Hosts by location are those of google-genai 3.4. Access is by OAuth token: one from the environment, or those of a
service account.
"""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Path, Provider, Quirk, Variable

_GEMINI = "/google/models/{model}:"
_CLAUDE = "/anthropic/models/{model}:"

PROVIDER = Provider(
    name="vertex",
    base_url="https://{host}/v1/projects/{project}/locations/{location}/publishers",
    dialects=("gemini", "anthropic"),
    speaks={"claude-*": "anthropic", "*": "gemini"},
    paths={
        "gemini": {
            "chat": Path(plain=_GEMINI + "generateContent", stream=_GEMINI + "streamGenerateContent", query="alt=sse"),
            "count_tokens": Path(plain=_GEMINI + "countTokens"),
        },
        "anthropic": {"chat": Path(plain=_CLAUDE + "rawPredict", stream=_CLAUDE + "streamRawPredict")},
    },
    keys=(KeySource(env="GOOGLE_OAUTH_ACCESS_TOKEN", scheme="bearer"),),
    credentials="google",
    variables={
        "project": Variable(env=("GOOGLE_CLOUD_PROJECT",), example="example"),
        "location": Variable(env=("GOOGLE_CLOUD_LOCATION",), default="global"),
        "host": Variable(
            follows="location",
            cases={
                "global": "aiplatform.googleapis.com",
                "us": "aiplatform.us.rep.googleapis.com",
                "eu": "aiplatform.eu.rep.googleapis.com",
            },
            default="{location}-aiplatform.googleapis.com",
        ),
    },
    quirks=(
        # The version stands in the body, the model in the path alone.
        Quirk(
            dialect="anthropic",
            source="https://platform.claude.com/docs/en/api/claude-on-vertex-ai",
            proof="cassettes/vertex/anthropic/text.yaml",
            request=quirks.with_members({"anthropic_version": b'"vertex-2023-10-16"'}, instead_of=("model",)),
        ),
    ),
    # Flags of Anthropic's own API are a 400 here unless Vertex knows them: these do, by
    # github.com/BerriAI/litellm/blob/main/litellm/anthropic_beta_headers_config.json of 1.109.
    betas=frozenset(
        {
            "compact-2026-01-12",
            "computer-use-2025-01-24",
            "computer-use-2025-11-24",
            "context-1m-2025-08-07",
            "context-management-2025-06-27",
            "interleaved-thinking-2025-05-14",
            "tool-search-tool-2025-10-19",
            "web-search-2025-03-05",
        }
    ),
    models=known(
        "gemini-2.5-flash",
        "gemini-2.5-pro",
        "gemini-2.5-flash-lite",
        "gemini-3.1-pro-preview",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-sonnet-4-6",
        "claude-sonnet-4-5@20250929",
        "claude-haiku-4-5@20251001",
        "claude-opus-4-5@20251101",
    ),
    owned_by="google",
    docs="https://platform.claude.com/docs/en/api/claude-on-vertex-ai",
    read="2026-11-20",
    unconfirmed=("which beta flags Vertex knows, but by LiteLLM's table",),
)
