import pytest

from setu.dialects.registry import of_path


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/messages", "anthropic"),
        ("/v1/messages/count_tokens", "anthropic"),
        ("/v1beta/models/gemini-x:generateContent", "gemini"),
        ("/v1beta/models", "gemini"),
        ("/v1/responses", "openai_responses"),
        ("/v2/chat", "cohere"),
        ("/v2/embed", "cohere"),
        ("/api/chat", "ollama"),
        ("/api/embed", "ollama"),
        ("/model/anthropic.claude:0/converse", "bedrock"),
        ("/model/m/converse-stream", "bedrock"),
        ("/v1/chat/completions", "openai_chat"),
        ("/nowhere", "openai_chat"),
        ("", "openai_chat"),
    ],
)
def test_an_error_is_written_in_the_dialect_of_its_path(path: str, dialect: str) -> None:
    assert of_path(path).name == dialect
