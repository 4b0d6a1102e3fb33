import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.entropy import base64_text, looks_random, named, random_words, speaks_of_secret

WORD = "k7Jp2Qx9Vt4Lm8Rz3Nw6Yb1Hc5Gd0Fs2Ta7Ue"
VALUE = "Zq7-plain-credential-7f3d2b"


@pytest.mark.parametrize(
    "name",
    ["db_password", "vaultToken", "GITHUB_TOKEN", "x-my-secret", "stripeApiKey", "hmac_key", "clientSecret", "my.passwd",
     "signing-key", "AZURE_STORAGE_CONNECTION_STRING", "set-cookie", "accessToken", "api_key_value"],
)  # fmt: skip
def test_names_that_speak_of_a_secret(name: str) -> None:
    assert speaks_of_secret(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "tokens", "page_token", "nextPageToken", "prompt_cache_key", "tokenizer", "key", "keys", "author",
     "stop_token", "bos_token", "idempotency_key", "thoughtSignature", "encrypted_content", "secretary", "monkey",
     "password_reset_url", "cached_content_token_count", "completion_tokens_details", "total_tokens"],
)  # fmt: skip
def test_names_that_do_not(name: str) -> None:
    assert not speaks_of_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"vault_token": "{VALUE}"}}',
        f'{{"a":{{"MY_PASSWORD" : "{VALUE}"}}}}',
        json.dumps({"text": json.dumps({"vault_token": VALUE})}),
        json.dumps(json.dumps({"text": json.dumps({"vault_token": VALUE})})),
        f'{{"name": "GH_TOKEN", "value": "{VALUE}"}}',
        f'{{"client_secret": {{"value": "{VALUE}"}}}}',
        f"export DB_PASSWORD={VALUE}",
        f"X-Api-Key: {VALUE}",
        f"Authorization: Bearer {VALUE}",
        f'password = "{VALUE}"',
        f'form-data; name="api_key"\r\n\r\n{VALUE}\r\n--b--',
    ],
)
def test_a_value_is_found_by_its_name(text: str) -> None:
    assert [text[start:end] for start, end in named(text)] == [VALUE]


@pytest.mark.parametrize(
    "text",
    [
        '{"password": {"type": "string"}}',
        '{"api_token": "<your token here>", "db_password": "${DB_PASSWORD}", "secret": "YOUR_SECRET_KEY"}',
        '{"token": "Thinking", "logprob": -0.1}',
        '{"token": "the-token-of-a-model-in-words", "bytes": [1]}',
        "token = os.environ['TOKEN']; password: str; api_key=config.api_key_for(name)",
        '{"next_page_token": "CAoQAA12345678abcdef", "max_tokens": "12345678"}',
        "a secret: something nobody should ever know about",
        '{"vault_token": "REDACTED"}',
    ],
)
def test_what_only_sounds_like_a_secret_stays(text: str) -> None:
    assert list(named(text)) == []


@pytest.mark.parametrize("text", [f"use {WORD} to log in", f"({WORD})", WORD, f"key:\n{WORD}\n", f"it is {WORD}."])
def test_a_random_word_is_found_in_prose(text: str) -> None:
    assert [text[start:end] for start, end in random_words(text)] == [WORD]


@pytest.mark.parametrize(
    "text",
    [
        f'{{"id": "{WORD}"}}',
        f"see https://example.com/a?b={WORD}",
        f"data:image/png;base64,{WORD}",
        f"call_{WORD} msg_01{WORD} file-{WORD} chatcmpl-{WORD}",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "123e4567-e89b-12d3-a456-426614174000123e4567-e89b-12d3-a456-426614174000",
        "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8-and-more-words",
        "src/components/Button2/IndexPageTest4/SomeLongNameOfAFile8",
        "ThisIsAVeryLongClassNameOfJavaWithNumbers123456789InIt",
        f"{WORD}.example.com",
        f"module.{WORD}",
        WORD * 8,
        base64.b64encode(b"this is a text that somebody wrote in base64, for no reason").decode(),
    ],
)
def test_what_is_random_by_design_stays(text: str) -> None:
    assert list(random_words(text)) == []


@given(st.text(max_size=60), st.booleans())
def test_base64_of_text_is_read_in_both_alphabets(text: str, url: bool) -> None:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    printable = "".join(c for c in text if c.isprintable())

    assert base64_text(encode(printable.encode()).decode()) == printable


@given(st.binary(min_size=24, max_size=90))
def test_base64_of_other_bytes_is_none(data: bytes) -> None:
    text = base64_text(base64.b64encode(b"\xff" + data).decode())

    assert text is None


@given(st.text(max_size=80))
def test_any_text_can_be_searched(text: str) -> None:
    spans = [*named(text), *random_words(text)]

    assert all(0 <= start < end <= len(text) for start, end in spans)


def test_a_short_word_is_not_random() -> None:
    assert not looks_random(WORD[:20])
