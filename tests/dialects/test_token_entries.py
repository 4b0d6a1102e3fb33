import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.dialects.token_entries import render_token

WHOLE = b'{"token":"a","logprob":-0.50,"bytes":null,"top_logprobs":[{"token":"a","logprob":-0.5}]}'


def test_an_entry_of_openais_form_stays_to_the_byte() -> None:
    assert bytes(render_token(WHOLE)) == WHOLE


@pytest.mark.parametrize(
    ("raw", "mended"),
    [
        (b'{"token":"a"}', {"token": "a", "logprob": -9999.0, "bytes": None, "top_logprobs": []}),
        (b'{"token":7,"logprob":-1,"bytes":[1,"x"]}', {"token": "", "logprob": -1, "bytes": None, "top_logprobs": []}),
        (b'"a"', {"token": "", "logprob": -9999.0, "bytes": None, "top_logprobs": []}),
        (
            b'{"token":"a","logprob":-1,"top_logprobs":[{"token":"b"}]}',
            {
                "token": "a",
                "logprob": -1,
                "bytes": None,
                "top_logprobs": [{"token": "b", "logprob": -9999.0, "bytes": None}],
            },
        ),
    ],
)
def test_an_entry_of_a_hosts_own_form_is_mended(raw: bytes, mended: dict[str, object]) -> None:
    assert render_token(raw) == mended


@given(
    st.recursive(
        st.none() | st.integers() | st.text("ab"),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["token", "logprob", "bytes", "top_logprobs"]), inner)
        ),
    )
)
def test_whatever_a_host_says_comes_out_in_openais_form(entry: object) -> None:
    found = _json.decode(_json.encode(render_token(_json.encode(entry))))

    assert isinstance(found["token"], str)
    assert isinstance(found["logprob"], (int, float))
    assert isinstance(found["top_logprobs"], list)
