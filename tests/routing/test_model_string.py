import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import LocalDialectError
from setu.routing.model_string import Meaning, ModelString, bare, meaning, read, settings, write
from setu.routing.preferences import HOSTS
from tests.routing.tables import OPENAI, OPENROUTER


@pytest.mark.parametrize(
    "text",
    [
        "deepseek-ai/DeepSeek-R1",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "llama3:8b",
        "gpt-4o?colour=red",
        "gpt-4o?temperature=1&colour=red",
        "gpt-4o:nitro",
        "?temperature=1",
        "",
    ],
)
def test_what_is_no_syntax_is_an_id(text: str) -> None:
    assert meaning(text, OPENAI) == Meaning(model=text)


@pytest.mark.parametrize(
    "text", ["deepseek/deepseek-r1:free", "openai/gpt-4o:online", "meta-llama/llama-3:8b", "x/y:thinking", ":nitro"]
)
def test_openrouter_s_own_variants_stay_with_the_id(text: str) -> None:
    assert meaning(text, OPENROUTER) == Meaning(model=text)


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("openai/gpt-4o:nitro", b'{"sort":"throughput"}'),
        ("openai/gpt-4o:floor", b'{"sort":"price"}'),
        ("openai/gpt-4o:azure", b'{"only":["Azure"]}'),
        ("openai/gpt-4o:Amazon-Bedrock", b'{"only":["Amazon Bedrock"]}'),
        ("openai/gpt-4o?sort=latency&quantization=fp8", b'{"sort":"latency","quantizations":["fp8"]}'),
        ("openai/gpt-4o:nitro?sort=price", b'{"sort":"price"}'),
    ],
)
def test_a_preference_becomes_openrouter_s_provider_object(text: str, provider: bytes) -> None:
    assert meaning(text, OPENROUTER) == Meaning(model="openai/gpt-4o", members={"provider": provider})


def test_every_setting_has_its_canonical_name() -> None:
    text = (
        "m?temperature=0.5&top_p=1&top_k=40&max_tokens=100&seed=-7&frequency_penalty=0&presence_penalty=1.5"
        "&top_logprobs=3&think=2048&thoughts&effort=low&reasoning=true"
    )

    assert meaning(text, OPENAI).options == {
        "temperature": 0.5,
        "top_p": 1,
        "top_k": 40,
        "max_tokens": 100,
        "seed": -7,
        "frequency_penalty": 0,
        "presence_penalty": 1.5,
        "top_logprobs": 3,
        "think": 2048,
        "thoughts": True,
        "effort": "low",
        "reasoning": True,
    }


def test_what_only_openrouter_knows_are_members_there_and_an_id_elsewhere() -> None:
    text = "a/b?min_p=0.1&repetition_penalty=1.1&top_a=0&reasoning_max_tokens=900&reasoning_exclude"

    there, elsewhere = meaning(text, OPENROUTER), meaning(text, OPENAI)

    assert there.members == {"min_p": b"0.1", "repetition_penalty": b"1.1", "top_a": b"0"}
    assert there.options == {"think": 900, "thoughts": False}
    assert elsewhere == Meaning(model=text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("m?temperature=hot", "'temperature' must be a number, not 'hot'"),
        ("m?temperature=nan", "'temperature' must be a number"),
        ("m?seed=1.5", "'seed' must be a whole number"),
        ("m?effort=huge", "'effort' must be one of none, minimal"),
        ("m?thoughts=perhaps", "'thoughts' must be true or false"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_said(text: str, said: str) -> None:
    with pytest.raises(LocalDialectError, match=said) as caught:
        meaning(text, OPENAI)

    assert (caught.value.code, caught.value.param) == ("invalid_model_string", "model")


def test_settings_are_what_bare_takes_away() -> None:
    assert (bare("a/b:nitro?seed=1"), settings("a/b:nitro?seed=1")) == ("a/b:nitro", "?seed=1")
    assert (bare("a/b?c=1"), settings("a/b?c=1")) == ("a/b?c=1", "")


_IDS = st.text("abcXYZ019/-._:?=&", min_size=1, max_size=24) | st.sampled_from(["m?seed=1&thoughts", "a/b:groq?think="])


@given(_IDS, st.booleans())
def test_a_string_taken_apart_and_put_together_is_itself(text: str, openrouter: bool) -> None:
    assert write(read(text, openrouter=openrouter)) == text


@given(
    st.from_regex(r"[a-z]{1,6}/[a-z0-9.-]{1,8}", fullmatch=True),
    st.none() | st.sampled_from(["nitro", "floor", *HOSTS]),
    st.lists(st.tuples(st.sampled_from(["seed", "top_k"]), st.none() | st.from_regex(r"[0-9]{1,3}", fullmatch=True))),
)
def test_what_is_written_is_read_again(
    model: str, preference: str | None, params: list[tuple[str, str | None]]
) -> None:
    string = ModelString(model=model, preference=preference, params=tuple(params))

    assert read(write(string), openrouter=True) == string
