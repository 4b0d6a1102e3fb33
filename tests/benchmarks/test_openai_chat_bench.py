"""What one translated text chunk costs: frame in, events, frame out."""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from setu.chat.events import Ended
from setu.chat.ids import counter
from setu.dialects.openai_chat.codec import DIALECT
from setu.dialects.openai_chat.decoder import ChatDecoder
from setu.dialects.openai_chat.encoder import ChatEncoder
from setu.dialects.record import Reply
from setu.framing.frame import Frame

# CPU time, not wall time: what else the machine does is no cost of ours.
pytestmark = [pytest.mark.timed, pytest.mark.benchmark(timer=time.process_time)]

LIMIT = 10e-6
"""Seconds per chunk through decoder and encoder, in the best of many rounds."""

_CHUNK = (
    b'{"id":"chatcmpl-9","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-2024-08-06",'
    b'"service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":'
    b'{"content":" seventeen"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"%b"}'
)
_FIRST = _CHUNK.replace(b'{"content":" seventeen"}', b'{"role":"assistant","content":"","refusal":null}')
_COUNT = 1000


def _stream() -> list[Frame]:
    return [Frame(data=_FIRST % b"x"), *(Frame(data=_CHUNK % (b"y" * (number % 9))) for number in range(_COUNT))]


def _translate(frames: list[Frame]) -> tuple[ChatDecoder, int]:
    decoder = ChatDecoder(counter())
    encoder = ChatEncoder(Reply(model="m", id="chatcmpl-1", created=1, mint=counter()))
    count = 0
    for frame in frames:
        for event in decoder.feed(frame):
            count += len(encoder.feed(event))
    return decoder, count


def test_one_translated_text_chunk_costs_less_than_ten_microseconds(benchmark: BenchmarkFixture) -> None:
    frames = _stream()

    decoder, count = benchmark(_translate, frames)

    assert count == _COUNT + 1
    assert decoder.close()[-1] == Ended(complete=False)
    if benchmark.stats is not None:  # absent with --benchmark-disable
        assert benchmark.stats.stats.min / _COUNT < LIMIT


def test_a_whole_answer_is_read_and_written_in_well_under_a_millisecond(benchmark: BenchmarkFixture) -> None:
    body = (
        b'{"id":"chatcmpl-9","object":"chat.completion","created":1760000000,"model":"gpt-4o","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":"Seventeen.","refusal":null,"annotations":[]},"logprobs":null,'
        b'"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}'
    )
    reply = Reply(model="m", id="chatcmpl-1", created=1, mint=counter())

    def there_and_back() -> bytes:
        response = DIALECT.upstream["chat"].parse_response(body, counter())
        return DIALECT.client["chat"].render_response(response, reply).body

    assert b'"content":"Seventeen."' in benchmark(there_and_back)
    if benchmark.stats is not None:
        assert benchmark.stats.stats.min < 1e-3
