"""Names that tell what may be stored and what may not: header fields, query members, members of bodies."""

import re
from typing import NamedTuple

REQUEST_HEADERS = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-encoding",
        "content-type",
        "openai-beta",
    }
)
RESPONSE_HEADERS = frozenset(
    {
        "allow",
        "anthropic-version",
        "apim-request-id",
        "content-disposition",
        "content-encoding",
        "content-type",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-amzn-bedrock-input-token-count",
        "x-amzn-errortype",
        "x-amzn-requestid",
        "x-generation-id",
        "x-groq-region",
        "x-request-id",
        "x-should-retry",
    }
)
RESPONSE_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit")

CREDENTIAL_HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "ocp-apim-subscription-key",
        "proxy-authorization",
        "set-cookie",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-goog-api-key",
    }
)
IDENTITY_HEADERS = frozenset(
    {"anthropic-organization-id", "openai-organization", "openai-project", "x-goog-user-project"}
)
SECRET_HEADERS = CREDENTIAL_HEADERS | IDENTITY_HEADERS
"""Fields whose removal is worth noting; any other field off the allow-list goes silently."""

SECRET_QUERY = re.compile(
    r"(?:x-(?:amz|goog)-)?(?:(?:api|access|secret|subscription)?[-_]?key|(?:(?:access|auth|id|refresh|session|security)[-_]?)?token"
    r"|sig|signature|(?:client[-_]?)?secret|password|passwd|credentials?|auth|authorization|(?:aws|google)access(?:key)?id)",
    re.IGNORECASE,
)

SECRET_MEMBERS = (
    "api_key", "api-key", "apiKey", "apikey", "authorization", "Authorization", "authorization_token", "access_token",
    "accessToken", "refresh_token", "id_token", "client_secret", "clientSecret", "password", "passwd", "private_key",
    "privateKey", "secret_key", "secretKey", "secret_access_key", "aws_secret_access_key", "aws_session_token",
    "sessionToken", "x-api-key", "X-API-Key", "x-goog-api-key", "ephemeral_key", "apiKeyString", "api_key_string",
    "encoded_api_key", "connection_string", "connectionString", "webhook_secret", "signing_secret",
)  # fmt: skip
"""Members of any JSON, in text too, that hold secrets under any value."""


class Pointer(NamedTuple):
    """A member of a request body that holds a secret under any value; `*` is any key or index. `source` tells where
    it is documented, with the date it was read.
    """

    pointer: str
    dialect: str
    source: str


_OPENAI = "types of the openai package 3.52 (2026-11-20)"
_ANTHROPIC = "docs.claude.com/en/docs/agents-and-tools/mcp-connector (2026-11-20)"
_GENAI = "types of the google-genai package 3.4 (2026-11-20)"
_AZURE = "learn.microsoft.com/azure/ai-services/openai/references/on-your-data (2026-11-20)"

POINTERS = (
    Pointer("/api_key", "any", "what clients put into a body by mistake"),
    Pointer("/extra_headers/*", "any", "what clients put into a body by mistake"),
    Pointer("/tools/*/authorization", "OpenAI", _OPENAI),
    Pointer("/tools/*/headers/*", "OpenAI, Gemini interactions", _OPENAI),
    Pointer("/tools/*/container/network_policy/domain_secrets/*/value", "OpenAI", _OPENAI),
    Pointer("/tools/*/environment/network_policy/domain_secrets/*/value", "OpenAI", _OPENAI),
    Pointer("/network_policy/domain_secrets/*/value", "OpenAI containers", _OPENAI),
    Pointer("/session/tools/*/authorization", "OpenAI realtime", _OPENAI),
    Pointer("/session/tools/*/headers/*", "OpenAI realtime", _OPENAI),
    Pointer("/mcp_servers/*/authorization_token", "Anthropic", _ANTHROPIC),
    Pointer("/tools/*/mcpServers/*/streamableHttpTransport/headers/*", "Gemini", _GENAI),
    Pointer("/tools/*/exaAiSearch/apiKey", "Vertex AI", _GENAI),
    Pointer("/tools/*/parallelAiSearch/apiKey", "Vertex AI", _GENAI),
    Pointer("/tools/*/googleMaps/authConfig/apiKey", "Vertex AI", _GENAI),
    Pointer("/tools/*/googleMaps/authConfig/apiKeyConfig/apiKeyString", "Vertex AI", _GENAI),
    Pointer("/tools/*/googleMaps/authConfig/oauthConfig/accessToken", "Vertex AI", _GENAI),
    Pointer("/tools/*/googleMaps/authConfig/oidcConfig/idToken", "Vertex AI", _GENAI),
    Pointer("/tools/*/retrieval/externalApi/apiAuth/apiKeyConfig/apiKeyString", "Vertex AI", _GENAI),
    Pointer("/tools/*/retrieval/externalApi/authConfig/apiKeyConfig/apiKeyString", "Vertex AI", _GENAI),
    Pointer("/tools/*/retrieval/externalApi/authConfig/oauthConfig/accessToken", "Vertex AI", _GENAI),
    Pointer("/tools/*/retrieval/externalApi/authConfig/oidcConfig/idToken", "Vertex AI", _GENAI),
    Pointer("/data_sources/*/parameters/authentication/key", "Azure OpenAI", _AZURE),
    Pointer("/data_sources/*/parameters/authentication/encoded_api_key", "Azure OpenAI", _AZURE),
    Pointer("/data_sources/*/parameters/authentication/access_token", "Azure OpenAI", _AZURE),
    Pointer("/data_sources/*/parameters/authentication/connection_string", "Azure OpenAI", _AZURE),
    Pointer("/data_sources/*/parameters/embedding_dependency/authentication/key", "Azure OpenAI", _AZURE),
)  # fmt: skip

BODY_POINTERS = tuple(each.pointer for each in POINTERS)


def storable_request_header(name: str) -> bool:
    return name in REQUEST_HEADERS


def storable_response_header(name: str) -> bool:
    return name in RESPONSE_HEADERS or name.startswith(RESPONSE_PREFIXES)
