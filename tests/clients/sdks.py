"""The vendors' Python clients, set up as a user would but for two things: no retries, and no TLS.

Reading the system's certificates takes a tenth of a second for every client, and nothing here is encrypted.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import anthropic
import openai
from google import genai
from google.genai import types

_SECONDS = 20


def openai_sdk(url: str) -> openai.OpenAI:
    http = openai.DefaultHttpxClient(verify=False)
    return openai.OpenAI(base_url=f"{url}/v1", api_key="sk-test", max_retries=0, timeout=_SECONDS, http_client=http)


def openai_async_sdk(url: str) -> openai.AsyncOpenAI:
    http = openai.DefaultAsyncHttpxClient(verify=False)
    return openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key="sk-test", max_retries=0, timeout=_SECONDS, http_client=http
    )


def anthropic_sdk(url: str) -> anthropic.Anthropic:
    http = anthropic.DefaultHttpxClient(verify=False)
    return anthropic.Anthropic(base_url=url, api_key="sk-ant-test", max_retries=0, timeout=_SECONDS, http_client=http)


def anthropic_async_sdk(url: str) -> anthropic.AsyncAnthropic:
    http = anthropic.DefaultAsyncHttpxClient(verify=False)
    return anthropic.AsyncAnthropic(
        base_url=url, api_key="sk-ant-test", max_retries=0, timeout=_SECONDS, http_client=http
    )


_GOOGLE: dict[str, genai.Client] = {}


@contextmanager
def google_sdk(url: str) -> Iterator[genai.Client]:
    """Lend a client: this package reads certificates whatever it is told, so each server has one for all tests."""
    if url not in _GOOGLE:
        _GOOGLE[url] = google_own_sdk(url)
    yield _GOOGLE[url]


def google_own_sdk(url: str) -> genai.Client:
    options = types.HttpOptions(base_url=url, timeout=_SECONDS * 1000)
    return genai.Client(api_key="test", vertexai=False, http_options=options)


def close() -> None:
    """Close what was lent."""
    while _GOOGLE:
        _GOOGLE.popitem()[1].close()
