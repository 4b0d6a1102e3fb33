"""What only an error's words tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import ErrorInfo, ErrorKind
from setu.translate.words import classified

OVERFLOWS = [
    "prompt is too long: 211059 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
    "The input token count (1195886) exceeds the maximum number of tokens allowed (1048576).",
    "Input is too long for requested model.",
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    "too many tokens: size limit exceeded by 11326 tokens",
    "the request exceeds the available context size",
]


def bad_request(message: str) -> ErrorInfo:
    return ErrorInfo(kind=ErrorKind.INVALID_REQUEST, status=400, message=message)


@pytest.mark.parametrize("message", OVERFLOWS)
def test_a_prompt_that_is_too_long_is_told_by_its_words(message: str) -> None:
    told = classified(bad_request(message))

    assert (told.kind, told.status) == (ErrorKind.CONTEXT_LENGTH, 400)


def test_a_413_of_the_context_is_a_400() -> None:
    info = ErrorInfo(kind=ErrorKind.TOO_LARGE, status=413, message=OVERFLOWS[0])

    assert classified(info).status == 400


def test_bedrocks_400_about_the_model_is_no_such_model() -> None:
    assert classified(bad_request("The provided model identifier is invalid.")).kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize("message", ["messages: at least one message is required", "prompt must be a string", ""])
def test_other_bad_requests_stay_what_they_are(message: str) -> None:
    assert classified(bad_request(message)) == bad_request(message)


@given(
    st.sampled_from(sorted(set(ErrorKind) - {ErrorKind.INVALID_REQUEST, ErrorKind.TOO_LARGE})),
    st.sampled_from(OVERFLOWS),
)
def test_a_kind_that_is_known_is_never_changed_by_words(kind: ErrorKind, message: str) -> None:
    info = ErrorInfo(kind=kind, status=429, message=message)

    assert classified(info) is info
